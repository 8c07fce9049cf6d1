// @ts-check
import process from "node:process";
import { Dealer } from "zeromq-wasm";
import { readFlags, run } from "../common.mjs";

const flags = readFlags(
  "Hands in tasks all at once and waits for the answers.",
  {
    endpoint: ["tcp://127.0.0.1:5559", "where the server listens"],
    name: [
      `client-${process.pid}`,
      "the name of this client, unlike any other",
    ],
    count: [6, "how many tasks"],
  },
);

const socket = new Dealer({ routingId: flags.name });

await run([socket], async () => {
  socket.connect(flags.endpoint);

  for (let number = 1; number <= flags.count; number++) {
    await socket.send(`task ${number}`);
  }
  console.log(`${flags.name}: handed in ${flags.count} tasks, Ctrl-C stops.`);

  for (let answers = 0; answers < flags.count; answers++) {
    const [answer] = await socket.receive();
    console.log(`${flags.name}: ${answer}`);
  }
  console.log(`Done: ${flags.count} answers.`);
});
