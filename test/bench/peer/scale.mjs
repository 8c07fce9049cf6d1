// Many connections, many subscriptions, long queues, and a process that only starts.

import { meter, now, say, told, wallClock } from "./kit.mjs";

/** Connections begun before the event loop has its turn. */
const CHUNK = 100;

async function take(socket, count) {
  for (let i = 0; i < count; i++) await socket.receive();
}

/** Waits for a message from each of many connections, then counts what else comes. */
export async function gather(zmq, job) {
  const socket = new zmq.Pull({ receiveHighWaterMark: 0, backlog: 4096 });
  await socket.bind(job.bind);
  say({ address: socket.lastEndpoint });
  await take(socket, job.peers);
  say({ all: wallClock() });
  await socket.receive();
  const stop = meter();
  await take(socket, job.count - 1);
  say({ result: { count: job.count - 1, ...stop() } });
  await told();
}

/** One socket with many connections to the same place, used in turn. */
export async function scatter(zmq, job) {
  const socket = new zmq.Push({ linger: 0 });
  const hello = Buffer.alloc(16);
  await told();
  const began = wallClock();
  for (let i = 0; i < job.peers; i++) {
    socket.connect(job.connect);
    if (i % CHUNK === CHUNK - 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  for (let i = 0; i < job.peers; i++) await socket.send(hello);
  say({ began });
  await told();
  for (let i = 0; i < job.count; i++) await socket.send(hello);
  await told();
}

export async function fill(zmq, job) {
  const socket = new zmq.Push({ sendHighWaterMark: 0, linger: 0 });
  socket.connect(job.connect);
  say({ ready: true });
  const body = Buffer.alloc(16);
  await told();
  const stop = meter();
  for (let i = 0; i < job.count; i++) await socket.send(body);
  say({ result: { count: job.count, ...stop() } });
  await told();
}

export async function drain(zmq, job) {
  const socket = new zmq.Pull();
  await socket.bind(job.bind);
  say({ address: socket.lastEndpoint });
  await told();
  const stop = meter();
  await take(socket, job.count);
  say({ result: { count: job.count, ...stop() } });
  await told();
}

const topic = (index) => `topic${String(index).padStart(9, "0")}`;
/** Prime, so that all topics get their turn in an order unlike that of subscribing. */
const STRIDE = 7919;

/** The publisher of many subscriptions: takes them all, then uses them. */
export async function topics(zmq, job) {
  const socket = new zmq.XPublisher({
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
    linger: 0,
  });
  await socket.bind(job.bind);
  say({ address: socket.lastEndpoint });
  await socket.receive();
  const stop = meter();
  await take(socket, job.peers - 1);
  say({ result: { count: job.peers, ...stop() } });
  await told();
  for (let i = 0; i < job.count; i++) {
    await socket.send(topic(i * STRIDE % job.peers));
  }
  await told();
}

export async function subscribe(zmq, job) {
  // A Subscriber loses what goes beyond the high-water mark of 1000 that it sends its
  // subscriptions with, and has no option to lift it.
  const socket = new zmq.XSubscriber({
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
    linger: 0,
  });
  socket.connect(job.connect);
  for (let i = 0; i < job.peers; i++) await socket.send(`\x01${topic(i)}`);
  const [first] = await socket.receive();
  if (first.toString() !== topic(0)) throw new Error(`unexpected ${first}`);
  const stop = meter();
  await take(socket, job.count - 1);
  say({ result: { count: job.count - 1, ...stop() } });
  await told();
}

/** One bound socket and nothing to do; without a package, not even that. */
export async function idle(zmq, job) {
  if (!zmq) {
    say({ bare: true });
    return await told();
  }
  const socket = new zmq.Pull();
  await socket.bind(job.bind);
  say({ address: socket.lastEndpoint, bound: now() - job.began });
  await told();
}
