// @ts-check
import { Publisher } from "zeromq-wasm";
import { pause, readFlags, run } from "../common.mjs";

const flags = readFlags("Publishes news of sports, weather and the world.", {
  endpoint: ["tcp://127.0.0.1:5556", "where to listen"],
  interval: [1000, "milliseconds between two rounds of messages"],
  count: [0, "how many rounds, 0 for no end"],
});

const socket = new Publisher();

await run([socket], async () => {
  await socket.bind(flags.endpoint);
  console.log(`Publishing on ${socket.lastEndpoint}, Ctrl-C stops.`);

  for (let round = 1; round <= flags.count || flags.count === 0; round++) {
    // The first frame is what subscribers choose by: the topic.
    await socket.send(["sports", `${round}: ${round % 4} goals`]);
    await socket.send(["weather", `${round}: ${10 + round % 20} degrees`]);
    await socket.send(["news", `${round}: nothing happened`]);
    console.log(`Published round ${round}.`);
    await pause(flags.interval);
  }
});
