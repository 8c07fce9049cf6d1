// @ts-check
import process from "node:process";
import { Pull, Push } from "zeromq-wasm";
import { pause, readFlags, run } from "../common.mjs";

const flags = readFlags("A worker: fetches items and brings back results.", {
  endpoint: ["tcp://127.0.0.1:5557", "where to fetch items"],
  results: ["tcp://127.0.0.1:5558", "where to bring results"],
  name: [`worker-${process.pid}`, "the name of this worker"],
});

const items = new Pull();
const results = new Push();

await run([items, results], async () => {
  items.connect(flags.endpoint);
  results.connect(flags.results);
  await results.send(JSON.stringify({ worker: flags.name }));
  console.log(`Waiting for work as ${flags.name}, Ctrl-C stops.`);

  for await (const [json] of items) {
    const { id, number, milliseconds } = JSON.parse(String(json));
    console.log(`Working on item ${id}`);
    await pause(milliseconds);
    const result = { worker: flags.name, id, square: number * number };
    await results.send(JSON.stringify(result));
  }
});
