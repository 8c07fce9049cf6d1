// @ts-check
import { Dealer } from "zeromq-wasm";
import { pause, readFlags, run } from "../common.mjs";
import { Meter } from "./meter.mjs";

const flags = readFlags("Sends messages, and reports what comes back.", {
  endpoint: ["tcp://127.0.0.1:5561", "where the server listens"],
  interval: [1000, "milliseconds between two reports"],
  pace: [100, "milliseconds between two messages"],
  count: [0, "how many answers to wait for, 0 for no end"],
});

const socket = new Dealer();
const meter = new Meter(socket);

async function send() {
  while (meter.sent < flags.count || flags.count === 0) {
    await socket.send(`message ${meter.sent + 1}`);
    await pause(flags.pace);
  }
}

async function receive() {
  for await (const _message of socket) {
    if (meter.received === flags.count) break;
  }
}

await run([socket], async () => {
  const watching = meter.watch();
  socket.connect(flags.endpoint);
  console.log(`Talking to ${flags.endpoint}, Ctrl-C stops.`);
  const timer = setInterval(() => meter.report(), flags.interval);
  try {
    await Promise.all([send(), receive()]);
  } finally {
    clearInterval(timer);
    meter.total();
    socket.close();
    await watching;
  }
});
