// @ts-check
import { Pull, Push } from "zeromq-wasm";
import { readFlags, run } from "../common.mjs";

const flags = readFlags("Produces work items and collects their results.", {
  endpoint: ["tcp://127.0.0.1:5557", "where workers fetch items"],
  results: ["tcp://127.0.0.1:5558", "where workers bring results"],
  workers: [3, "how many workers to wait for"],
  count: [30, "how many items"],
  work: [200, "milliseconds of work for each item"],
});

const items = new Push();
const results = new Pull();

await run([items, results], async () => {
  await items.bind(flags.endpoint);
  await results.bind(flags.results);
  console.log(`Producing on ${items.lastEndpoint}`);
  console.log(`Collecting on ${results.lastEndpoint}`);
  console.log(`Waiting for ${flags.workers} workers, Ctrl-C stops.`);

  const workers = new Set();
  let sent = 0;
  let done = 0;
  while (done < flags.count) {
    // Items go to the workers in turn. Two at a time for each keep them busy, and
    // leave something for a worker that comes later or is quicker than the others.
    const ready = workers.size >= flags.workers;
    while (ready && sent < flags.count && sent - done < 2 * workers.size) {
      const id = ++sent;
      const item = { id, number: id, milliseconds: flags.work };
      await items.send(JSON.stringify(item));
    }

    const [json] = await results.receive();
    const { worker, id, square } = JSON.parse(String(json));
    if (id === undefined) {
      workers.add(worker);
      console.log(`Ready: ${worker}`);
    } else {
      done++;
      console.log(`Item ${id} from ${worker}: ${square}`);
    }
  }
  console.log(`Done: ${done} items.`);
});
