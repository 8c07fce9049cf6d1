// @ts-check
import { Dealer, Proxy, Router } from "zeromq-wasm";
import { ctrlC, pause, readFlags, run } from "../common.mjs";

const flags = readFlags("Spreads the tasks of many clients over workers.", {
  endpoint: ["tcp://127.0.0.1:5559", "where to listen for clients"],
  workers: [3, "how many workers"],
  work: [1000, "milliseconds of work for each task"],
});

const front = new Router();
const back = new Dealer();
const workers = Array.from({ length: flags.workers }, () => new Dealer());

/**
 * @param {Dealer} socket
 * @param {number} index
 */
async function work(socket, index) {
  const name = `worker ${index + 1}`;
  socket.connect("inproc://workers");
  // The Router has put the client's name in front, and takes the answer to where
  // the same name is in front. A Request adds an empty frame: it is kept too.
  for await (const [client, ...frames] of socket) {
    const task = frames.pop();
    console.log(`${name}: ${task} of ${client}`);
    await pause(flags.work);
    await socket.send([client, ...frames, `${task} done by ${name}`]);
  }
}

await run([front, back, ...workers], async () => {
  await front.bind(flags.endpoint);
  await back.bind("inproc://workers");
  console.log(`Listening on ${front.lastEndpoint}, Ctrl-C stops.`);

  const proxy = new Proxy(front, back);
  ctrlC.addEventListener("abort", () => proxy.terminate());
  await Promise.all([proxy.run(), ...workers.map(work)]);
});
