// PUSH to PULL and PUB to SUB: one side sends as fast as `await socket.send` lets it,
// the other checks and counts.

import {
  bodies,
  mark,
  meters,
  now,
  PROBE,
  repeat,
  say,
  START,
  STOP,
  Tally,
  told,
} from "./kit.mjs";
import { security } from "./security.mjs";

/** Messages per call of a batch form. */
const BATCH = 256;

/** Sends for a while or a count, in the style that is asked for. Returns how many. */
async function stream(socket, job, all, state, limit) {
  const { length } = all;
  // Looking at the clock for each small message would be part of what is measured.
  const burst = Math.max(1, Math.min(64, Math.floor(65536 / job.size)));
  if (job.api === "batch") {
    const batch = Math.max(1, Math.min(BATCH, Math.floor(2 ** 20 / job.size)));
    return await repeat(limit, async () => {
      const messages = [];
      for (let i = 0; i < batch; i++) {
        messages.push(all[state.next]);
        if (++state.next === length) state.next = 0;
      }
      await socket.sendMany(messages);
      return batch;
    });
  }
  const end = limit.seconds ? now() + limit.seconds * 1000 : Infinity;
  const total = limit.count ?? Infinity;
  let next = state.next;
  let done = 0;
  while (done < total && now() < end) {
    const stop = Math.min(total, done + burst);
    for (; done < stop; done++) {
      await socket.send(all[next]);
      if (++next === length) next = 0;
    }
  }
  state.next = next;
  return done;
}

/** The sending side of a run: warm-up, START, the measured part, STOP. */
async function sendAll(socket, job) {
  const all = bodies(job.size);
  // Made before anything is measured: to fill 16 MB takes Deno 20 ms, and 300 now and then.
  const [first, last] = [START, STOP].map((kind) => mark(job.size, kind));
  const state = { next: 0 };
  const { seconds, count } = job;
  const warm = count ? { count } : { seconds: job.warm };
  await stream(socket, job, all, state, warm);
  await socket.send(first);
  const stop = meters();
  const sent = await stream(
    socket,
    job,
    all,
    state,
    count ? { count } : { seconds },
  );
  await socket.send(last);
  return () => ({ count: sent, ...stop() });
}

/** Receives until STOP. Returns what was counted and measured since START. */
async function receiveAll(socket, job) {
  let finish;
  const tally = new Tally(job.size, () => finish = meters());
  await receiveWith(tally, socket, job);
  return { count: tally.count, ...finish() };
}

/** The receiving side, in the style that is asked for. */
async function receiveWith(tally, socket, job) {
  if (job.api === "batch") {
    for (;;) {
      for (const [body] of await socket.receiveMany()) {
        if (tally.take(body)) return;
      }
    }
  } else if (job.api === "receive") {
    for (;;) {
      const [body] = await socket.receive();
      if (tally.take(body)) return;
    }
  } else {
    for await (const [body] of socket) if (tally.take(body)) return;
  }
}

export async function pull(zmq, job) {
  const socket = new zmq.Pull({
    receiveHighWaterMark: job.hwm,
    ...security(job, true),
  });
  await socket.bind(job.bind);
  say({ address: socket.lastEndpoint });
  say({ result: await receiveAll(socket, job) });
  await told();
}

export async function push(zmq, job) {
  const socket = new zmq.Push({
    sendHighWaterMark: job.hwm,
    linger: 0,
    ...security(job, false),
  });
  socket.connect(job.connect);
  const finish = await sendAll(socket, job);
  say({ sent: true });
  // The receiver has everything: what was queued has cost its CPU time too.
  await told();
  say({ result: finish() });
}

/** Both sides in one process, for inproc. */
export async function pair(zmq, job) {
  const pull = new zmq.Pull({ receiveHighWaterMark: job.hwm });
  await pull.bind("inproc://bench");
  const push = new zmq.Push({ sendHighWaterMark: job.hwm });
  push.connect("inproc://bench");
  const [received, finish] = await Promise.all([
    receiveAll(pull, job),
    sendAll(push, job),
  ]);
  say({ result: { ...received, sent: finish().count } });
  await told();
}

/** Many subscribers in one process, each with a socket of its own. */
export async function sub(zmq, job) {
  let waiting = job.peers;
  let finish;
  let total = 0;
  await Promise.all(Array.from({ length: job.peers }, async () => {
    const socket = new zmq.Subscriber({ receiveHighWaterMark: 0 });
    socket.subscribe();
    socket.connect(job.connect);
    await socket.receive();
    if (--waiting === 0) say({ ready: true });
    // From the first START to the last STOP; one timer for all that is measured.
    const tally = new Tally(job.size, () => finish ??= meters());
    for await (const [body] of socket) if (tally.take(body)) break;
    total += tally.count;
  }));
  say({ result: { count: total, ...finish() } });
  await told();
}

export async function pub(zmq, job) {
  const socket = new zmq.Publisher({ sendHighWaterMark: 0, linger: 0 });
  await socket.bind(job.bind);
  say({ address: socket.lastEndpoint });
  let probing = true;
  const subscribed = told().then(() => probing = false);
  while (probing) {
    await socket.send(mark(job.size, PROBE));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await subscribed;
  const finish = await sendAll(socket, job);
  say({ sent: true });
  await told();
  say({ result: finish() });
}
