/** The short form of `npm run soak`: nothing grows. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Figures, figures, round } from "./soak.ts";

const test = suite("soak");

/** What may be more afterwards: spare chunks, what was compiled, no garbage collection. */
const SLACK: Partial<Record<keyof Figures, number>> = {
  heap: 64 * 1024,
  memory: 2 ** 20,
  javascript: 64 * 2 ** 20,
};

test("connections, sockets and messages leave nothing behind", async () => {
  const amounts = { connections: 400, sockets: 4000, messages: 20_000 };
  await round(amounts);
  const before = await figures();
  await round(amounts);
  const after = await figures();
  for (const name of Object.keys(before) as (keyof Figures)[]) {
    const grown = after[name] - before[name];
    assert.ok(grown <= (SLACK[name] ?? 0), `${name} grew by ${grown}`);
  }
});

test.run();
