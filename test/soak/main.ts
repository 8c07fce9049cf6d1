/** The soak, and its figures as a table. See `run.mjs`. */
import process from "node:process";
import {
  connections,
  type Figures,
  figures,
  messages,
  round,
  sockets,
} from "./soak.ts";

const at = process.argv.indexOf("--scale");
const scale = at === -1 ? 0.01 : Number(process.argv[at + 1]);
if (!(scale > 0)) {
  console.error("--scale must be a number above 0");
  process.exit(2);
}

const names: (keyof Figures)[] = [
  ...["heap", "memory", "javascript", "descriptors", "timers"] as const,
];
const row = (what: string, cells: (string | number)[]) =>
  console.log(`| ${[what, ...cells].join(" | ")} |`);

// What is made once, and what a first use allocates, is there before.
await round({ connections: 200, sockets: 2000, messages: 20_000 });
row("", names);
row("---", names.map(() => "---:"));
const report = async (what: string) => {
  const found = await figures();
  row(what, names.map((name) => found[name].toLocaleString("en")));
};
await report("at the start");
const steps: [string, (times: number) => Promise<void>, number][] = [
  ["connections made and ended", connections, 100_000],
  ["sockets opened and closed", sockets, 1_000_000],
  ["messages", messages, 10_000_000],
];
for (const [what, run, whole] of steps) {
  const times = Math.max(100, Math.round(whole * scale / 100) * 100);
  await run(times);
  await report(`after ${times.toLocaleString("en")} ${what}`);
}
