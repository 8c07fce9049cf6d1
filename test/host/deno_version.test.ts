// bun: no, it is about Deno
/** A Deno without what the host needs is told so. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { denoHost } from "../../ts/host/deno.ts";
import { canHaveThreads } from "../../ts/host/deno_threads.ts";
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

test("threads find each other from 2.7 on", () => {
  for (const version of ["2.4.0", "2.6.8", "1.46.3"]) {
    assert.is(canHaveThreads(version), false, version);
  }
  for (const version of ["2.7.1", "2.10.0", "3.0.0"]) {
    assert.is(canHaveThreads(version), true, version);
  }
  if (isDeno) assert.ok(denoHost().threads);
});

test("what was cancelled does not fire, also where Deno's timer does", async () => {
  if (!isDeno) return;
  const { clearTimeout, setTimeout } = globalThis;
  let fired = 0;
  globalThis.clearTimeout = () => {};
  try {
    const { setTimer } = denoHost();
    setTimer(() => fired++, 1).cancel();
    setTimer(() => fired++, 1);
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert.is(fired, 1);
  } finally {
    globalThis.clearTimeout = clearTimeout;
  }
});

test.run();
