// @ts-check
import { Router } from "zeromq-wasm";
import { readFlags, run } from "../common.mjs";
import { Meter } from "./meter.mjs";

const flags = readFlags("Sends everything back, and reports how it is doing.", {
  endpoint: ["tcp://127.0.0.1:5561", "where to listen"],
  interval: [1000, "milliseconds between two reports"],
});

const socket = new Router();
const meter = new Meter(socket);

async function echo() {
  for await (const message of socket) await socket.send(message);
}

await run([socket], async () => {
  const watching = meter.watch();
  await socket.bind(flags.endpoint);
  console.log(`Listening on ${socket.lastEndpoint}, Ctrl-C stops.`);
  const timer = setInterval(() => meter.report(), flags.interval);
  try {
    await Promise.all([echo(), watching]);
  } finally {
    clearInterval(timer);
    meter.total();
  }
});
