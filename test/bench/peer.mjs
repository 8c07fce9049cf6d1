// One side of a benchmark run, with the package that it is given:
//
//   RUNTIME peer.mjs package=FILE job=NAME KEY=VALUE...
//
// It writes JSON lines: an address it bound, its result. the folder c has the same in C.

import process from "node:process";
import { pathToFileURL } from "node:url";
import { parse } from "./arguments.mjs";
import * as scale from "./peer/scale.mjs";
import * as stream from "./peer/stream.mjs";
import * as trips from "./peer/trips.mjs";

const job = parse(process.argv.slice(2));
let zmq;
job.began = performance.now();
if (job.package) {
  const module = await import(pathToFileURL(job.package).href);
  zmq = module.Push ? module : module.default;
  if (job.peers > 500 && job.job === "dealers") {
    zmq.context.maxSockets = job.peers + 100;
  }
}
await { ...scale, ...stream, ...trips }[job.job](zmq, job);
process.exit(0);
