// Where the time goes: one run on Node with V8's profiler on both sides, and the
// functions that took the most time themselves.
//
//   node test/bench/profile.mjs KIND [KEY=VALUE...]     KIND is a function of measure.mjs
// or measure_scale.mjs
//
// A build with DEBUG=1 shows the names of libzmq's functions.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import * as measure from "./measure.mjs";
import * as scaling from "./measure_scale.mjs";
import { parse } from "./arguments.mjs";
import * as scale from "./peer/scale.mjs";
import * as stream from "./peer/stream.mjs";
import * as trips from "./peer/trips.mjs";
import { nodeRuntime } from "./runtimes.mjs";

const TOP = 24;
const JOBS = Object.keys({ ...scale, ...stream, ...trips });

/** Whose code a function is. */
function owner({ functionName, url }) {
  if (/^\((?!anonymous)/.test(functionName)) return functionName;
  if (/^wasm:|^wasm-/.test(url) || functionName.includes("zmq::")) {
    return "module";
  }
  if (url === "") return "native code";
  if (url.startsWith("node:")) return "Node's JavaScript";
  return url.includes("/bench/") ? "benchmark" : "package's JavaScript";
}

/** A name without what C++ adds to it, and the place. */
function label({ functionName, url, lineNumber }) {
  if (functionName.startsWith("(")) return functionName;
  const file = /^wasm/.test(url) || url === "" ? "" : basename(url);
  let name = functionName.replace(/\(.*\)(?: const)?$/, "");
  for (let last = ""; last !== name;) {
    last = name;
    name = name.replaceAll(/<[^<>]*>/g, "");
  }
  return `${name}${file && ` ${file}:${lineNumber + 1}`}`;
}

function add(map, key, time) {
  map.set(key, (map.get(key) ?? 0) + time);
}

/** What took how long, as shares of the time that the process was busy. */
function summary(profile) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const node of profile.nodes) {
    node.label = label(node.callFrame);
    for (const child of node.children ?? []) nodes.get(child).parent = node;
  }
  let total = 0;
  const self = new Map();
  const inside = new Map();
  const owners = new Map();
  const callers = new Map();
  profile.samples.forEach((id, index) => {
    const time = profile.timeDeltas[index + 1] ?? 0;
    const node = nodes.get(id);
    total += time;
    add(self, node.label, time);
    add(owners, owner(node.callFrame), time);
    const by = callers.get(node.label) ?? new Map();
    callers.set(node.label, by);
    if (node.parent) add(by, node.parent.label, time);
    const seen = new Set();
    for (let at = node; at; at = at.parent) seen.add(at.label);
    for (const name of seen) add(inside, name, time);
  });
  const idle = self.get("(idle)") ?? 0;
  const busy = total - idle;
  const rows = (map, count, note) =>
    [...map].filter(([name]) => !["(idle)", "(root)"].includes(name))
      .sort((a, b) => b[1] - a[1]).slice(0, count)
      .map(([name, time]) =>
        `${(time / busy * 100).toFixed(1).padStart(6)} %  ${name}${note(name)}`
      );
  const seconds = (time) => (time / 1e6).toFixed(2);
  return [
    `busy ${seconds(busy)} s of ${seconds(total)} s; shares of the busy time:`,
    "  by owner",
    ...rows(owners, 9, () => ""),
    "  self time   < most frequent caller",
    ...rows(self, TOP, (name) => {
      const [caller] = [...callers.get(name)].sort((a, b) => b[1] - a[1]);
      return caller ? `   < ${caller[0]}` : "";
    }),
    "  with what they call",
    ...rows(inside, TOP, () => ""),
  ].join("\n");
}

/** Which job a profile is of. */
function side(profile) {
  const found = profile.nodes.find(({ callFrame: { functionName, url } }) =>
    /\/peer\/(stream|trips|scale)\.mjs$/.test(url) &&
    JOBS.includes(functionName)
  );
  return found?.callFrame.functionName ?? "other";
}

const [kind, ...rest] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "zmq-profile-"));
try {
  const runtime = nodeRuntime([
    "--cpu-prof",
    "--cpu-prof-interval=250",
    `--cpu-prof-dir=${folder}`,
  ]);
  const result = await { ...measure, ...scaling }[kind](runtime, {
    seconds: 3,
    warm: 1,
    size: 16,
    hwm: 1000,
    ...parse(rest),
  });
  console.log(`${kind} ${rest.join(" ")}\n${JSON.stringify(result)}`);
  for (const file of readdirSync(folder).sort()) {
    const profile = JSON.parse(readFileSync(join(folder, file), "utf8"));
    console.log(`\n--- ${side(profile)}\n${summary(profile)}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
