/** Some conversations at random; random.long.ts has more. SEED=… repeats one. */
import process from "node:process";
import { suite } from "uvu";
import { converse } from "./converse.ts";

const test = suite("random");

const CONVERSATIONS = 8;
const { SEED } = process.env;

test("conversations at random", async () => {
  if (SEED) return await converse(Number(SEED));
  const first = Date.now() % 1e9;
  for (let i = 0; i < CONVERSATIONS; i++) await converse(first + i);
});

test.run();
