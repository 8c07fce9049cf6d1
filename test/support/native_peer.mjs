// Sockets of the native package in a process of their own, driven by JSON lines: one command a
// line on standard input, one answer a line on standard output. Ends with its input.
//   node native_peer.mjs PACKAGE
import { createRequire } from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
process.removeAllListeners("warning").on("warning", () => {});
const types = {
  ...require(process.argv[2]),
  ...require(`${process.argv[2]}/draft`),
};
const sockets = [];

const bytes = (text) => Buffer.from(text, "latin1");
const text = (frame) => Buffer.from(frame).toString("latin1");

const commands = {
  socket(type, options) {
    const socket = new types[type]({ linger: 0, ...options });
    return sockets.push(socket) - 1;
  },
  async bind(id, address) {
    await sockets[id].bind(address);
    return sockets[id].lastEndpoint;
  },
  connect: (id, address) => sockets[id].connect(address),
  join: (id, group) => sockets[id].join(group),
  subscribe: (id, topic) => sockets[id].subscribe(topic),
  unsubscribe: (id, topic) => sockets[id].unsubscribe(topic),
  send: (id, frames, options) => {
    const message = frames.length === 1 ? bytes(frames[0]) : frames.map(bytes);
    // Those that take no options count their arguments.
    return options
      ? sockets[id].send(message, options)
      : sockets[id].send(message);
  },
  async receive(id) {
    const message = await sockets[id].receive();
    return message.map((part) =>
      part instanceof Uint8Array ? text(part) : { group: text(part.group) }
    );
  },
  close: (id) => sockets[id].close(),
};

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { call, name, args } = JSON.parse(line);
  const answer = { call };
  try {
    answer.ok = await commands[name](...args) ?? null;
  } catch (error) {
    answer.error = `${error.code} ${error.message}`;
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}).on("close", () => process.exit());
