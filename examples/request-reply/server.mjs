// @ts-check
import { Reply } from "zeromq-wasm";
import { pause, readFlags, run } from "../common.mjs";

const flags = readFlags("Answers requests, one after the other.", {
  endpoint: ["tcp://127.0.0.1:5555", "where to listen"],
  work: [1000, "milliseconds of work for each request"],
});

const socket = new Reply();

await run([socket], async () => {
  await socket.bind(flags.endpoint);
  console.log(`Listening on ${socket.lastEndpoint}, Ctrl-C stops.`);

  for await (const [request] of socket) {
    console.log(`Received: ${request}`);
    await pause(flags.work);
    await socket.send(String(request).replace("Hello", "World"));
  }
});
