// npm run bench: this package against the native addon and libzmq in C, side by side.
//
//   --what=GROUP,...      only these groups of scenarios (see scenarios.mjs)
//   --size=BYTES,...      these message sizes, where there is a choice
//   --count=MESSAGES      so many messages per run, instead of a time
//   --seconds=SECONDS     measured time of a run, at least (0.4; 2 of rates with a target)
//   --warm=SECONDS        time before that, at least, in which engines get to know the code
//                         (0.8; 4 of rates with a target)
//   --runs=RUNS           interleaved runs (3; 5 of what has a target, fewer of what takes
//                         long)
//   --runtimes=NAME,...   of node, deno, bun, native, c
//   --quick               a few scenarios, short, once
//   --guard               ratios to the addon only; fails when one is below its floor
//   --json                prints the results as JSON instead of tables
//   --from=FILE           measures nothing: reports on the JSON of an earlier run
//   --help                prints this
//
// All results go to build/bench/results.json. A run of everything writes
// docs/benchmarks.md and its charts; a partial one leaves them alone and writes the
// same to build/bench.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { asMarkdown, asText, charts, number, targetsOf } from "./report.mjs";
import {
  findRuntimes,
  folder,
  hasBatch,
  NAMES,
  packageBytes,
  root,
} from "./runtimes.mjs";
import { groups as allGroups, METRICS, STEADY } from "./scenarios.mjs";

const list = (text) => text?.split(",").filter((part) => part !== "");
const progress = (text) => process.stderr.write(`${text}\n`);

function fail(text) {
  progress(text);
  process.exit(2);
}

const given = readOptions();

function readOptions() {
  try {
    return parseArgs({
      options: {
        what: { type: "string" },
        size: { type: "string" },
        count: { type: "string" },
        seconds: { type: "string" },
        warm: { type: "string" },
        runs: { type: "string" },
        runtimes: { type: "string" },
        from: { type: "string" },
        quick: { type: "boolean" },
        guard: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    fail(`${error.message}\nnpm run bench -- --help has the options`);
  }
}

if (given.help) {
  const lines = readFileSync(new URL(import.meta.url), "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  console.log(lines.slice(0, end).map((line) => line.slice(3)).join("\n"));
  process.exit(0);
}

/** A positive number of the command line, or what holds without it. */
function positive(name, otherwise) {
  if (given[name] === undefined) return otherwise;
  const value = Number(given[name]);
  if (!(value > 0)) fail(`--${name} must be a positive number`);
  return value;
}

const short = given.quick || given.guard;
const options = {
  runs: Math.ceil(positive("runs", given.quick ? 1 : 3)),
  targetRuns: Math.ceil(positive("runs", given.quick ? 1 : short ? 3 : 5)),
  seconds: positive("seconds", given.quick ? 0.3 : 0.4),
  warm: positive("warm", 0.8),
  count: positive("count", undefined),
  sizes: list(given.size)?.map(Number),
  /** Whether rates with a target are measured as STEADY has it. */
  steady: !short && given.count === undefined,
};
if (options.sizes?.some((size) => !(size > 0))) fail("--size takes bytes");
const wanted = list(given.runtimes) ??
  (given.guard ? ["node", "native"] : NAMES);
for (const name of wanted) {
  if (!NAMES.includes(name)) fail(`--runtimes takes ${NAMES.join(", ")}`);
}

/** The groups that are asked for, each with the scenarios that are. */
function select() {
  const groups = allGroups(options.sizes);
  const what = list(given.what);
  for (const id of what ?? []) {
    if (!groups.some((group) => group.id === id)) {
      fail(`--what takes ${groups.map(({ id }) => id).join(", ")}`);
    }
  }
  const keep = (scenario) => {
    if (given.guard) return scenario.floor !== undefined;
    return !given.quick || what !== undefined || scenario.quick;
  };
  return groups.filter(({ id }) => !what || what.includes(id)).map((group) => ({
    ...group,
    scenarios: group.scenarios.filter(keep),
  })).filter(({ scenarios }) => scenarios.length > 0);
}

/** The job of one run on one runtime, or undefined if there is nothing to compare. */
function jobOf(scenario, runtime, batch) {
  const { seconds, warm } = options;
  if (scenario.without === runtime.name) return undefined;
  const job = { seconds, warm, ...scenario.job };
  const steady = scenario.steady && options.steady ? STEADY : { warm, seconds };
  job.warm = Math.max(warm, job.warm, steady.warm);
  job.seconds = Math.max(seconds, job.seconds, steady.seconds);
  if (options.count && !scenario.counted && !scenario.timed) {
    job.count = options.count;
  }
  if (job.count) delete job.seconds;
  if (job.api === "batch") {
    if (!batch) return undefined;
    if (!runtime.ours) delete job.api;
  }
  return job;
}

/** How often it is measured: more often where the result is held against a target. */
function roundsOf({ atMost, target, also }) {
  if (atMost) return Math.min(atMost, options.runs);
  const hasTarget = target !== undefined || also?.length > 0;
  return hasTarget ? options.targetRuns : options.runs;
}

async function measureAll(groups, runtimes) {
  const batch = await hasBatch();
  const failures = [];
  const total = groups.reduce(
    (sum, { scenarios }) =>
      sum +
      scenarios.reduce((n, scenario) => n + roundsOf(scenario), 0),
    0,
  ) *
    runtimes.length;
  let done = 0;
  const measured = [];
  for (const group of groups) {
    const scenarios = [];
    for (const scenario of group.scenarios) {
      const runs = Object.fromEntries(runtimes.map(({ name }) => [name, []]));
      const broken = new Set();
      const rounds = roundsOf(scenario);
      for (let round = 0; round < rounds; round++) {
        // Nobody is always the first, nor always after the same one.
        for (const runtime of round % 2 ? runtimes.toReversed() : runtimes) {
          done++;
          const job = jobOf(scenario, runtime, batch);
          if (!job || broken.has(runtime)) continue;
          const label = `[${done}/${total}] ${group.id} ${scenario.name}, ` +
            runtime.name;
          try {
            const run = await scenario.run(runtime, job);
            runs[runtime.name].push(run);
            const metric = group.metrics[0];
            progress(
              `${label}: ${number(run[metric])} ${METRICS[metric].title}`,
            );
          } catch (error) {
            // What fails once would only fail again, and slowly.
            broken.add(runtime);
            failures.push(
              `${group.id}, ${scenario.name}, ${runtime.name}: ` +
                error.message.split("\n").slice(0, 3).join(" "),
            );
            progress(`${label}: ${error.message}`);
          }
        }
      }
      const { name, target, floor, also } = scenario;
      scenarios.push({ name, target, floor, also, runs });
    }
    const { id, title, metrics } = group;
    measured.push({ id, title, metrics, scenarios });
  }
  return { groups: measured, failures };
}

/** How TCP of this machine paces what is sent, which shows at 64 KB; undefined if not known. */
function congestionControl() {
  const setting = "/proc/sys/net/ipv4/tcp_congestion_control";
  return existsSync(setting) ? readFileSync(setting, "utf8").trim() : undefined;
}

async function measure() {
  const machine = {
    cpu: os.cpus()[0]?.model.trim() ?? "unknown",
    cores: os.cpus().length,
    system: `${os.type()} ${os.release()}`,
    load: os.loadavg()[0],
    congestion: congestionControl(),
  };
  if (machine.load > machine.cores / 4) {
    progress(
      `the machine is busy (load ${machine.load.toFixed(1)}): ` +
        "trust the ratios at most",
    );
  }
  mkdirSync(folder, { recursive: true });
  const groups = select();
  progress("finding and installing what is compared");
  const runtimes = findRuntimes(wanted, progress);
  const date = new Date().toISOString();
  const outcome = await measureAll(groups, runtimes);
  const narrowed = ["what", "size", "count", "runtimes"].some((name) =>
    given[name] !== undefined
  );
  return {
    whole: !short && !narrowed,
    date,
    machine,
    options,
    runtimes: runtimes.map(({ name, title }) => ({ name, title })),
    packages: Object.fromEntries(
      runtimes.map((runtime) => [runtime.name, packageBytes(runtime)]),
    ),
    ...outcome,
  };
}

function guard(results) {
  const checks = targetsOf(results).filter(({ floor }) => floor);
  for (const { title, higher, reached, floor, safe } of checks) {
    console.log(
      `${safe ? "ok  " : "SLOW"}  ${reached.toFixed(2)}× (${
        higher ? "at least" : "at most"
      } ${floor}×)  ${title}`,
    );
  }
  return checks.length > 0 && checks.every(({ safe }) => safe);
}

const results = given.from
  ? JSON.parse(readFileSync(given.from, "utf8"))
  : await measure();
if (!given.from) {
  writeFileSync(join(folder, "results.json"), JSON.stringify(results));
}
if (given.json) console.log(JSON.stringify(results, null, 2));
else console.log(asText(results));

const target = results.whole ? join(root, "docs") : folder;
writeFileSync(join(target, "benchmarks.md"), asMarkdown(results));
for (const [name, text] of Object.entries(charts(results))) {
  writeFileSync(join(target, name), text);
}
progress(`\nwritten: ${join(target, "benchmarks.md")}`);

for (const text of results.failures) progress(`failed: ${text}`);
const safe = !given.guard || guard(results);
process.exitCode = results.failures.length > 0 || !safe ? 1 : 0;
