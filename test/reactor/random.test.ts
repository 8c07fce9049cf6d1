/** Some conversations at random; random.long.ts has more. SEED=… repeats one. */
import process from "node:process";
import { suite } from "uvu";
import { closeAll } from "../socket/tools.ts";
import { converse } from "./random.ts";

const test = suite("random");
test.after.each(closeAll);

const CONVERSATIONS = 8;
const { SEED } = process.env;

test("conversations at random", async () => {
  const first = Number(SEED ?? Date.now() % 1e9);
  for (let i = 0; i < (SEED ? 1 : CONVERSATIONS); i++) {
    await converse(first + i);
  }
});

test.run();
