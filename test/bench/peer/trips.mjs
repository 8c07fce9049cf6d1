// Round trips: REQ to REP, many DEALERs to one ROUTER, and a proxy in between.

import { delayMeter, meter, now, repeat, say, told } from "./kit.mjs";

/** Round trips kept for the percentiles, at most. */
const SAMPLES = 2_000_000;
const WARM_TRIPS = 15_000;

function percentiles(samples) {
  samples.sort();
  const at = (share) =>
    samples[Math.min(samples.length - 1, Math.floor(samples.length * share))];
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

export async function rep(zmq, job) {
  const socket = new zmq.Reply({ linger: 0 });
  await socket.bind(job.bind);
  say({ address: socket.lastEndpoint });
  const stop = told();
  const finish = meter();
  let count = 0;
  stop.then(() => {
    say({ result: { count, ...finish() } });
    socket.close();
  });
  for await (const [body] of socket) {
    await socket.send(body);
    count++;
  }
}

/** `trip` once and again for the job's time; times in microseconds. */
async function timeTrips(job, trip) {
  const samples = new Float64Array(SAMPLES);
  const warm = await repeat({ seconds: job.warm }, trip);
  // V8 compiles what has run often, on a busy machine later than the clock expects.
  const missing = Math.max(0, WARM_TRIPS - warm);
  await repeat({ seconds: job.warm * 2, count: missing }, trip);
  let count = 0;
  const stop = meter();
  const most = Math.min(SAMPLES, job.count ?? SAMPLES);
  await repeat({ seconds: job.seconds, count: most }, async () => {
    const start = now();
    await trip();
    samples[count++] = (now() - start) * 1000;
    return 1;
  });
  return { count, ...stop(), ...percentiles(samples.subarray(0, count)) };
}

export async function req(zmq, job) {
  const socket = new zmq.Request({ linger: 0 });
  socket.connect(job.connect);
  const body = Buffer.alloc(job.size, 7);
  const result = await timeTrips(job, async () => {
    await socket.send(body);
    const [answer] = await socket.receive();
    if (answer.length !== job.size || answer[job.size - 1] !== 7) {
      throw new Error(`a broken answer of ${answer.length} bytes`);
    }
    return 1;
  });
  say({ result });
  await told();
}

/** Sends every message back where it came from, whatever route it took. */
export async function router(zmq, job) {
  const socket = new zmq.Router({
    linger: 0,
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
  });
  if (job.bind) {
    await socket.bind(job.bind);
    say({ address: socket.lastEndpoint });
  } else {
    socket.connect(job.connect);
  }
  const finish = meter();
  let count = 0;
  told().then(() => {
    say({ result: { count, ...finish() } });
    socket.close();
  });
  for await (const frames of socket) {
    await socket.send(frames);
    count++;
  }
}

const sum = (counts) => counts.reduce((total, count) => total + count, 0);

/** Many clients in one process, each waiting for its answer before it asks again. */
export async function dealers(zmq, job) {
  const sockets = Array.from({ length: job.peers }, () => {
    const socket = new zmq.Dealer({ linger: 0 });
    socket.connect(job.connect);
    return socket;
  });
  let end = Infinity;
  const trips = async (socket, index) => {
    const body = Buffer.alloc(job.size, index);
    let count = 0;
    do {
      await socket.send(body);
      const [answer] = await socket.receive();
      if (answer.length !== job.size || answer[0] !== (index & 255)) {
        throw new Error(`client ${index} got a wrong answer`);
      }
      count++;
    } while (now() < end);
    return count;
  };
  const round = async (seconds) => {
    end = now() + seconds * 1000;
    return await Promise.all(sockets.map(trips));
  };
  const warm = await round(job.warm);
  if (sum(warm) < WARM_TRIPS) await round(job.warm * 2);
  const delays = delayMeter();
  const stop = meter();
  const counts = await round(job.seconds);
  const count = sum(counts);
  // How unevenly the clients were served: the unluckiest against the average.
  const fairness = Math.min(...counts) / (count / counts.length);
  say({ result: { count, fairness, ...stop(), ...delays() } });
  await told();
}

export async function proxy(zmq, job) {
  const front = new zmq.Router({ linger: 0 });
  const back = new zmq.Dealer({ linger: 0 });
  await front.bind(job.bind);
  await back.bind(job.bind);
  say({ address: front.lastEndpoint, back: back.lastEndpoint });
  const finish = meter();
  new zmq.Proxy(front, back).run();
  await told();
  say({ result: finish() });
}
