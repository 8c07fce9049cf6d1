/** What Deno needs for udp, and what the error says without it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Dish } from "zeromq-wasm/draft";
import { closeAll, runProgram, use, within } from "../socket/tools.ts";
import { portOf } from "./tools.ts";

const test = suite("udp permissions");
test.after.each(closeAll);

/** Runs it under Deno with these flags; what it threw or rejected with. */
async function attempt(code: string, ...flags: string[]) {
  const { out, err } = await runProgram(
    `
    try {
      ${code}
      console.log(JSON.stringify({ message: "fine" }));
    } catch (e) {
      const { code, errno, address, message } = e;
      console.log(JSON.stringify({ code, errno, address, message }));
    }`,
    { deno: ["--no-prompt", ...flags] },
  );
  assert.is(err, "");
  return JSON.parse(out) as {
    code?: string;
    errno?: number;
    address?: string;
    message: string;
  };
}

const bind = (address: string) =>
  `{ const s = new z.draft.Dish(); await s.bind("${address}"); s.close(); }`;
const connect = (address: string) =>
  `{ const s = new z.draft.Radio(); s.connect("${address}"); s.close(); }`;

for (const [how, program] of Object.entries({ bind, connect })) {
  const address = `udp://127.0.0.1:${how === "bind" ? "*" : 5555}`;
  test(`${how} without --unstable-net`, async () => {
    const error = await attempt(program(address), "-A");
    assert.is(error.code, "EPROTONOSUPPORT", error.message);
    assert.ok(error.errno! > 0);
    assert.is(error.address, address);
    assert.match(error.message, /needs --unstable-net/);
  });
}

/** The program, its address, the permission given, and the flag the error names. */
const REFUSED: [string, string, string, RegExp][] = [
  ["bind", "udp://127.0.0.1:*", "", /--allow-net=127\.0\.0\.1:0$/],
  ["bind", "udp://*:5555", "127.0.0.1", /--allow-net=0\.0\.0\.0:5555$/],
  ["bind", "udp://239.0.0.1:5555", "239.0.0.1", /-net=0\.0\.0\.0:5555$/],
  ["connect", "udp://127.0.0.1:55", "", /=127\.0\.0\.1:55,0\.0\.0\.0:0$/],
  ["connect", "udp://127.0.0.1:55", "127.0.0.1:55", /,0\.0\.0\.0:0$/],
  ["connect", "udp://example.test:55", "0.0.0.0:0", /=example\.test:55,/],
];

for (const [how, address, allowed, says] of REFUSED) {
  test(`${how} ${address} with ${allowed || "nothing"}`, async () => {
    const program = (how === "bind" ? bind : connect)(address);
    const allow = allowed === "" ? [] : [`--allow-net=${allowed}`];
    const error = await attempt(program, "--unstable-net", ...allow);
    assert.is(error.code, "EACCES", error.message);
    assert.is(error.errno, 13);
    assert.is(error.address, address);
    assert.match(error.message, says);
  });
}

test("just enough is enough", async () => {
  const dish = use(new Dish());
  await dish.bind("udp://127.0.0.1:*");
  dish.join("g");
  const port = portOf(dish);
  const told = await attempt(
    `const radio = new z.draft.Radio();
    radio.connect("udp://127.0.0.1:${port}");
    await radio.send("x", { group: "g" });
    radio.close();`,
    "--unstable-net",
    `--allow-net=127.0.0.1:${port},0.0.0.0:0`,
  );
  assert.equal(told, { message: "fine" });
  assert.is(String((await within(dish.receive(), "x"))[0]), "x");
});

test.run();
