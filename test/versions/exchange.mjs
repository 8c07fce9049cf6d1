// Messages within one process, by the package that it is given; for a runtime of any version.
//
//   RUNTIME exchange.mjs PACKAGE
//
// It writes a line for each exchange that was right, and "done" after the last.

import process from "node:process";

const zmq = await import(process.argv[2]);

/** Nothing of a message is right by chance: its number is in each of its bytes. */
const value = (i) => (i * 7 + 1) & 255;

function check(frame, i, size) {
  const right = frame.length === size && frame[0] === value(i) &&
    frame[size >> 1] === value(i) && frame[size - 1] === value(i);
  if (!right) throw new Error(`message ${i} of ${size} bytes is another`);
}

/** `count` messages of `size` bytes, as fast as they are taken, in two frames each. */
async function stream(endpoint, size, count, options = [{}, {}]) {
  const pull = new zmq.Pull(options[0]);
  await pull.bind(endpoint);
  const push = new zmq.Push({ linger: 0, ...options[1] });
  push.connect(pull.lastEndpoint);
  const sending = (async () => {
    for (let i = 0; i < count; i++) {
      await push.send([String(i), new Uint8Array(size).fill(value(i))]);
    }
  })();
  for (let i = 0; i < count; i++) {
    const [number, body] = await pull.receive();
    if (String(number) !== String(i)) throw new Error(`${number} is not ${i}`);
    check(body, i, size);
    // So that connections are paused, and go on.
    if (i % 1000 === 999) await new Promise((resolve) => setTimeout(resolve));
  }
  await sending;
  push.close();
  pull.close();
}

async function trips(endpoint, count) {
  const reply = new zmq.Reply();
  await reply.bind(endpoint);
  const request = new zmq.Request({ linger: 0 });
  request.connect(reply.lastEndpoint);
  for (let i = 0; i < count; i++) {
    await request.send(new Uint8Array(16).fill(value(i)));
    const [asked] = await reply.receive();
    await reply.send(asked);
    const [answer] = await request.receive();
    check(answer, i, 16);
  }
  request.close();
  reply.close();
}

function curve() {
  const server = zmq.curveKeyPair(), client = zmq.curveKeyPair();
  return [
    { curveServer: true, curveSecretKey: server.secretKey },
    {
      curveServerKey: server.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    },
  ];
}

/** A receiver whose peer comes only later, to a port that was refused until then. */
async function late() {
  const first = new zmq.Pull();
  await first.bind("tcp://127.0.0.1:*");
  const endpoint = first.lastEndpoint;
  await first.unbind(endpoint);
  first.close();
  const push = new zmq.Push({ linger: 0, reconnectInterval: 10 });
  const refused = new Promise((resolve) =>
    push.events.on("connect:retry", resolve)
  );
  push.connect(endpoint);
  await refused;
  const second = new zmq.Pull();
  await second.bind(endpoint);
  await push.send("hello");
  const [hello] = await second.receive();
  if (String(hello) !== "hello") throw new Error(`${hello} is not hello`);
  push.close();
  second.close();
}

const TCP = "tcp://127.0.0.1:*", IPC = "ipc://*";
const EXCHANGES = [
  ["tcp, 10 B", () => stream(TCP, 10, 20_000)],
  ["tcp, 1 KB", () => stream(TCP, 1024, 10_000)],
  ["tcp, 5000 B", () => stream(TCP, 5000, 3000)],
  // Enough for memory of other kinds.
  ["tcp, 64 KB", () => stream(TCP, 65536, 400)],
  ["tcp, 1 MB", () => stream(TCP, 2 ** 20, 40)],
  ["tcp with CURVE, 1 KB", () => stream(TCP, 1024, 2000, curve())],
  ["tcp with CURVE, 64 KB", () => stream(TCP, 65536, 100, curve())],
  ["ipc, 1 KB", () => stream(IPC, 1024, 10_000)],
  ["ipc, 64 KB", () => stream(IPC, 65536, 400)],
  ["inproc, 1 KB", () => stream("inproc://here", 1024, 10_000)],
  ["tcp, round trips", () => trips(TCP, 500)],
  ["tcp, refused at first", late],
];

for (const [name, exchange] of EXCHANGES) {
  await exchange();
  console.log(name);
}
console.log("done");
process.exit(0);
