/** Fuzzes for a chosen time. See `run.mjs`. */
import process from "node:process";
import { apiRound } from "./api.ts";
import { datagramRound } from "./datagrams.ts";
import { networkRound } from "./round.ts";

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at === -1 ? otherwise : Number(process.argv[at + 1]);
  if (!Number.isInteger(value) || value < 0) {
    console.error(`--${name} must be a whole number`);
    process.exit(2);
  }
  return value;
}

const seconds = option("seconds", 60);
const seed = option("seed", Date.now() % 2 ** 31);
const first = option("round", 0);
const rounds = option("rounds", 0) || Infinity;
const end = performance.now() + seconds * 1000;
let round = first;

function failed(error: unknown): void {
  console.error(error);
  console.error(`again with: npm run fuzz -- --seed ${seed} --round ${round}`);
  process.exit(1);
}

process.removeAllListeners("warning");
process.on("uncaughtException", failed);
process.on("unhandledRejection", failed);
console.log(`seed ${seed}`);
try {
  for (; performance.now() < end && round - first < rounds; round++) {
    await apiRound(seed, round);
    await networkRound(seed, round);
    await datagramRound(seed, round);
    if (process.stdout.isTTY) process.stdout.write(`\r${round + 1} rounds`);
  }
} catch (error) {
  failed(error);
}
console.log(`\n${round - first} rounds, nothing found`);
process.exit(0);
