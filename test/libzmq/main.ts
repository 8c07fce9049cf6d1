/**
 * Runs one of libzmq's test programs: main.mjs WASM INDEX NAME [SKIPPED-CASES as JSON].
 * Ends with the program's status, or with 134 as a process that was aborted does.
 */
import process from "node:process";
import { defaultHost } from "zeromq-wasm:host";
import { Fibers } from "./fibers.ts";
import { skipped } from "./imports.ts";

const [index, name, cases] = process.argv.slice(3);
for (const [test, reason] of Object.entries(JSON.parse(cases ?? "{}"))) {
  skipped.set(test, String(reason));
}

const host = defaultHost();
const fibers = new Fibers(host, (error) => {
  console.error((error.cause as Error)?.stack ?? error.stack);
  process.exit(134);
});
host.keepAlive();
fibers.call("zw_test_program", Number(index));
const main = fibers.instance.exports[`zw_main_${name}`]!;
process.exit(await fibers.main(() => main(0, 0)));
