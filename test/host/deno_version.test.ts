// bun: no, it is about Deno
/** A Deno without what the host needs is told so. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { denoHost } from "../../ts/host/deno.ts";
import { isDeno } from "../socket/tools.ts";

const test = suite("version of Deno");

test("an older Deno is refused, with its version", () => {
  if (!isDeno) return;
  const { setImmediate } = globalThis;
  const global = globalThis as { setImmediate?: unknown };
  global.setImmediate = undefined;
  try {
    assert.throws(denoHost, /needs Deno 2\.4 or later; this is \d+\.\d+\.\d/);
  } finally {
    global.setImmediate = setImmediate;
  }
  assert.is(denoHost().name, "deno");
});

test.run();
