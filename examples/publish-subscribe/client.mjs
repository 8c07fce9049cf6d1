// @ts-check
import { Subscriber } from "zeromq-wasm";
import { readFlags, run } from "../common.mjs";

const flags = readFlags("Prints what is published on some topics.", {
  endpoint: ["tcp://127.0.0.1:5556", "where the publisher listens"],
  topics: ["sports,weather", "topics to subscribe to"],
  count: [0, "how many messages to wait for, 0 for no end"],
});

const socket = new Subscriber();

await run([socket], async () => {
  socket.subscribe(...flags.topics.split(","));
  socket.connect(flags.endpoint);
  console.log(`Subscribed to ${flags.topics}, Ctrl-C stops.`);

  let messages = 0;
  for await (const [topic, text] of socket) {
    console.log(`${topic} ${text}`);
    if (++messages === flags.count) break;
  }
  console.log(`Done: ${messages} messages.`);
});
