/** Many conversations at random, for a while. */
import { suite } from "uvu";
import { closeAll } from "../socket/tools.ts";
import { converse } from "./random.ts";

const test = suite("random");
test.after.each(closeAll);

const FOR_MS = 40_000;

test("many conversations at random", async () => {
  const first = Date.now() % 1e9;
  for (let i = 0, end = Date.now() + FOR_MS; Date.now() < end; i++) {
    await converse(first + i);
    await closeAll();
  }
});

test.run();
