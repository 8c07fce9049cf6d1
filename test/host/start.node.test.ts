/** What a program waits for at its start: modules of Node that it does not need yet. */
import { spawnSync } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("start");

/** Which of `names` are loaded once the program has run, as Node tells. */
function loadedBy(program: string, names: readonly string[]): string[] {
  const code = `${program}
    const loaded = new Set(process.moduleLoadList);
    const names = ${JSON.stringify(names)};
    const found = names.filter((name) => loaded.has("NativeModule " + name));
    require("node:fs").writeSync(1, JSON.stringify(found));
    process.exit();`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["-e", `(async () => {${code}})()`],
    { encoding: "utf8" },
  );
  assert.is(status, 0, stderr);
  return JSON.parse(stdout);
}

const BIND = `const { Request } = await import("zeromq-wasm");
  await new Request().bind("tcp://127.0.0.1:*");`;
const RARE = ["dns/promises", "dgram", "os", "internal/crypto/webcrypto"];

/** The same without those that Node loads for a module that does nothing. */
function needed(program: string, names: readonly string[]): string[] {
  const anyway = loadedBy(`await import("data:text/javascript,");`, names);
  return loadedBy(program, names).filter((name) => !anyway.includes(name));
}

test("the import loads none of Node's modules", () => {
  const program = `await import("zeromq-wasm");`;
  assert.equal(needed(program, [...RARE, "worker_threads", "net"]), []);
});

test("a bound socket needs node:net, and not what comes with its listen", () => {
  assert.equal(needed(BIND, [...RARE, "cluster", "dns"]), []);
});

test.run();
