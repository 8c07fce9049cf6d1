/** STREAM speaks plain TCP: with node:net and with pyzmq's STREAM, in both roles. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { connect, createServer, type Socket as TcpSocket } from "node:net";
import * as assert from "uvu/assert";
import { Stream } from "zeromq-wasm";
import { pause, until, within } from "../support/deadline.ts";
import { type End, Ours, Theirs } from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { Peer } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";

const test = interopSuite("stream");
checkLeaks(test);

const ANYWHERE = "tcp://127.0.0.1:*";
const portOf = (address: string) => Number(/\d+$/.exec(address)![0]);

/** Reads until `size` bytes of the peer have come; they may come in any pieces. */
async function read(end: End, id: Buffer, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let have = 0; have < size;) {
    const [from, data] = await end.receive();
    assert.equal(from, id, "from the same peer");
    assert.ok(data!.length > 0, "no end yet");
    pieces.push(data!);
    have += data!.length;
  }
  return Buffer.concat(pieces);
}

/**
 * Lets a socket work until `result` has come. Closing a connection takes libzmq a
 * second step, for which somebody has to use the socket; native libzmq's, too.
 */
async function working<T>(end: End | Stream, result: Promise<T>): Promise<T> {
  let done = false;
  result.finally(() => done = true).catch(() => {});
  while (!done) {
    if (end instanceof Theirs) await end.socket.get("EVENTS");
    else void ((end instanceof Ours ? end.socket : end) as Stream).readable;
    await pause(5);
  }
  return result;
}

for (const weBind of [true, false]) {
  const what = `STREAM and pyzmq's, ${weBind ? "we bind" : "we connect"}`;
  test(what, async () => {
    const peer = await Peer.start();
    const ours = new Ours("STREAM");
    const theirs = await Theirs.create(peer, "STREAM");
    const [binder, connecter] = weBind ? [ours, theirs] : [theirs, ours];
    const run = async () => {
      await connecter.connect(await binder.bind(ANYWHERE));
      // Each side learns of a connection by an empty message.
      const [a, opened] = await connecter.receive();
      const [b, accepted] = await binder.receive();
      assert.is(opened!.length, 0, what);
      assert.is(accepted!.length, 0, what);
      for (const size of [1, 255, 100_000]) {
        const body = randomBytes(size);
        await connecter.send([a!, body]);
        assert.equal(await read(binder, b!, size), body, `${what}: ${size}`);
        await binder.send([b!, body]);
        assert.equal(await read(connecter, a!, size), body, `${what}: back`);
      }
      // An empty message closes; so does the other side learn of it.
      await connecter.send([a!, ""]);
      const [id, end] = await working(connecter, binder.receive());
      assert.equal(id, b, what);
      assert.is(end!.length, 0, what);
    };
    try {
      await within(run(), what);
    } finally {
      ours.close();
      await theirs.close();
    }
  });
}

/** Reads from a plain connection until `size` bytes have come. */
function readRaw(
  socket: TcpSocket,
  size: number,
  what: string,
): Promise<Buffer> {
  let data = Buffer.alloc(0);
  const found = new Promise<Buffer>((resolve) => {
    const take = (chunk: Buffer) => {
      data = Buffer.concat([data, chunk]);
      if (data.length < size) return;
      socket.off("data", take);
      resolve(data);
    };
    socket.on("data", take);
  });
  return within(found, what);
}

/** Talks over a connection that stands, then lets the plain side close it. */
async function talkRaw(stream: Stream, raw: TcpSocket, what: string) {
  const [id, opened] = await within(stream.receive(), `${what}: notice`);
  assert.is(opened!.length, 0, what);
  const question = randomBytes(50_000), answer = randomBytes(70_000);
  raw.write(question);
  const ours = { receive: () => stream.receive() } as unknown as End;
  const arrived = within(read(ours, id as Buffer, 50_000), `${what}: question`);
  assert.equal(await arrived, question, what);
  const back = readRaw(raw, answer.length, `${what}: answer`);
  await stream.send([id!, answer]);
  assert.equal(await back, answer, what);
  raw.end();
  const [from, end] = await within(stream.receive(), `${what}: end`);
  assert.equal(from, id, what);
  assert.is(end!.length, 0, what);
}

test("plain TCP connects to our STREAM", async () => {
  const stream = new Stream({ linger: 0 });
  await stream.bind(ANYWHERE);
  const raw = connect(portOf(stream.lastEndpoint!), "127.0.0.1");
  raw.on("error", () => {});
  await talkRaw(stream, raw, "raw client");
  raw.destroy();
  stream.close();
});

test("our STREAM connects to plain TCP", async () => {
  let raw: TcpSocket | undefined;
  const server = createServer((socket) => {
    raw = socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await until(() => server.listening, "listening");
  const stream = new Stream({ linger: 0 });
  stream.connect(
    `tcp://127.0.0.1:${(server.address() as { port: number }).port}`,
  );
  await until(() => raw, "a connection");
  await talkRaw(stream, raw!, "raw server");
  stream.close();
  raw!.destroy();
  server.close();
});

test("our STREAM closes a plain connection", async () => {
  const stream = new Stream({ linger: 0 });
  await stream.bind(ANYWHERE);
  const raw = connect(portOf(stream.lastEndpoint!), "127.0.0.1");
  const ended = new Promise((resolve) => raw.once("end", () => resolve(true)));
  raw.on("error", () => {}).resume();
  const [id] = await within(stream.receive(), "notice");
  await stream.send([id!, "bye"]);
  await stream.send([id!, ""]);
  const what = "end of the plain connection";
  await within(working(stream, ended), what);
  raw.destroy();
  stream.close();
});

test("without notify there are no empty messages", async () => {
  const stream = new Stream({ linger: 0, notify: false });
  await stream.bind(ANYWHERE);
  const raw = connect(portOf(stream.lastEndpoint!), "127.0.0.1");
  raw.on("error", () => {}).write("data");
  const [, first] = await within(stream.receive(), "data");
  assert.is(String(first), "data");
  raw.destroy();
  stream.close();
});

test.run();
