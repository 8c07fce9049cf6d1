// @ts-check
import { Request } from "zeromq-wasm";
import { readFlags, run } from "../common.mjs";

const flags = readFlags("Sends numbered requests and prints the answers.", {
  endpoint: ["tcp://127.0.0.1:5555", "where the server listens"],
  count: [10, "how many requests"],
});

const socket = new Request();

await run([socket], async () => {
  socket.connect(flags.endpoint);

  for (let number = 1; number <= flags.count; number++) {
    console.log(`Sending: Hello ${number}`);
    await socket.send(`Hello ${number}`);
    const [answer] = await socket.receive();
    console.log(`Received: ${answer}`);
  }
  console.log(`Done: ${flags.count} answers.`);
});
