// One end of the tour under Node or Deno: takes commands as JSON lines on stdin, and
// answers each with a JSON line. The Python end, peer.py, does the same.

import process from "node:process";
import { createInterface } from "node:readline";
import * as zmq from "zeromq-wasm";

/** Pattern by pattern: the socket that binds and the one that connects. */
const TYPES = {
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PUSH: zmq.Push,
  PULL: zmq.Pull,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
  PAIR: zmq.Pair,
};

/** Bytes of a message: its number, then filler. */
const SIZE = 16;

function numbered(i) {
  const body = Buffer.alloc(SIZE, ".");
  body.writeUInt32LE(i);
  return body;
}

async function open({ type, endpoint, bind, curve, context }) {
  const socket = new TYPES[type]({ context, linger: 0 });
  if ("receiveHighWaterMark" in socket) socket.receiveHighWaterMark = 0;
  if ("sendHighWaterMark" in socket) socket.sendHighWaterMark = 0;
  if (curve) {
    socket.curveSecretKey = curve.secretKey;
    socket.curvePublicKey = curve.publicKey;
    if (curve.server) socket.curveServer = true;
    else socket.curveServerKey = curve.serverKey;
  }
  if (bind) await socket.bind(endpoint);
  else socket.connect(endpoint);
  if (type === "SUB") socket.subscribe();
  if (type === "XSUB") await socket.send("\x01");
  return socket;
}

async function send(socket, { count }) {
  for (let i = 0; i < count; i++) await socket.send(numbered(i));
}

/** Counts messages, which must come in order and whole. */
async function receive(socket, { count }) {
  let started;
  for (let i = 0; i < count;) {
    const body = (await socket.receive()).at(-1);
    // Greetings of a publisher, and subscriptions.
    if (String(body) === "hello" || body.length === 1) continue;
    started ??= performance.now();
    if (body.length !== SIZE || body.readUInt32LE() !== i) {
      throw new Error(`message ${i} is wrong: ${body.toString("hex")}`);
    }
    i++;
  }
  return { seconds: (performance.now() - started) / 1000 };
}

async function echo(socket, { count }) {
  for (let i = 0; i < count; i++) await socket.send(await socket.receive());
}

async function ping(socket, { count }) {
  const times = [];
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const before = performance.now();
    await socket.send(numbered(i));
    const [body] = await socket.receive();
    if (body.readUInt32LE() !== i) throw new Error(`answer ${i} is wrong`);
    times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  return {
    seconds: (performance.now() - started) / 1000,
    median: times[count >> 1] / 1000,
  };
}

/** Both ends in this process. */
async function inproc({ bound, connected, twoWay, flow, pings, count }) {
  const endpoint = "inproc://tour";
  const context = new zmq.Context();
  const a = await open({ type: bound, bind: true, endpoint, context });
  const b = await open({ type: connected, bind: false, endpoint, context });
  let result = {};
  if (twoWay) {
    const echoed = echo(a, { count: pings });
    result = { ...await ping(b, { count: pings }), messages: 2 * pings };
    await echoed;
  }
  if (flow) {
    const [from, to] = flow === "bound" ? [a, b] : [b, a];
    const received = receive(to, { count });
    await send(from, { count });
    result = { ...result, ...await received, messages: count };
  }
  a.close();
  b.close();
  return result;
}

let socket;
const commands = {
  async open(command) {
    socket = await open({ ...command, context: new zmq.Context() });
    return { endpoint: socket.lastEndpoint };
  },
  hello: () => socket.send("hello"),
  async heard() {
    while (String((await socket.receive())[0]) !== "hello");
  },
  send: (command) => send(socket, command),
  receive: (command) => receive(socket, command),
  echo: (command) => echo(socket, command),
  ping: (command) => ping(socket, command),
  close: () => socket.close(),
  inproc,
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = await commands[command.do](command) ?? {};
  } catch (error) {
    answer = { error: `${error.code ?? error.name}: ${error.message}` };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
