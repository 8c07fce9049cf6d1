/** Many conversations at random, for a while. */
import { suite } from "uvu";
import { converse } from "./converse.ts";

const test = suite("random");

const FOR_MS = 40_000;

test("many conversations at random", async () => {
  const first = Date.now() % 1e9;
  const end = Date.now() + FOR_MS;
  for (let i = 0; Date.now() < end; i++) await converse(first + i);
});

test.run();
