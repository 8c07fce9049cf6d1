/** What Deno must be allowed, and what the error says when it is not. */
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Pull } from "zeromq-wasm";
import { bound, closeAll, freshPath, runProgram, use } from "./tools.ts";

const test = suite("permissions");
test.after.each(closeAll);

interface Told {
  code?: string;
  errno?: number;
  address?: string;
  message: string;
}

/** Runs it under Deno with these flags; what `attempt` threw or rejected with. */
async function attempt(code: string, ...flags: string[]): Promise<Told> {
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
  assert.match(out, /^\{/, err);
  assert.is(err, "");
  return JSON.parse(out) as Told;
}

const bind = (address: string) =>
  `{ const s = new z.Pull(); await s.bind("${address}"); s.close(); }`;
const connect = (address: string) =>
  `{ const s = new z.Pull(); s.connect("${address}"); s.close(); }`;

const path = freshPath();

test("a host name is bound without looking at interfaces", async () => {
  const told = await attempt(bind("tcp://localhost:*"), "--allow-net");
  assert.is(told.message, "fine");
});

/** The program, its address, the flags given, and what the error says. */
const REFUSED: [string, string, string[], RegExp][] = [
  ["bind", "tcp://127.0.0.1:*", [], /needs --allow-net/],
  ["bind", "tcp://*:*", [], /needs --allow-net/],
  [
    "bind",
    "tcp://127.0.0.1:5555",
    ["--allow-net=127.0.0.1:5556"],
    /--allow-net=127\.0\.0\.1:5555/,
  ],
  ["bind", `ipc://${path}`, [], /needs --allow-/],
  ["bind", `ipc://${path}`, ["--allow-net"], /needs --allow-(read|write)/],
  ["bind", "ipc://*", [], /needs --allow-/],
  [
    "bind",
    "tcp://lo:*",
    ["--allow-net"],
    /needs --allow-sys=networkInterfaces/,
  ],
  [
    "connect",
    "tcp://127.0.0.1:5555",
    [],
    /needs --allow-net=127\.0\.0\.1:5555/,
  ],
  [
    "connect",
    "tcp://example.test:80",
    [],
    /needs --allow-net=example\.test:80/,
  ],
  ["connect", "tcp://[::1]:80", [], /needs --allow-net=\[::1\]:80/],
  ["connect", "tcp://127.0.0.1:5555", [
    "--deny-net=127.0.0.1:5555",
    "--allow-net",
  ], /--allow-net/],
  [
    "connect",
    `ipc://${path}`,
    [],
    /needs --allow-net, --allow-read and --allow-write/,
  ],
  [
    "connect",
    `ipc://${path}`,
    ["--allow-net"],
    /--allow-read and --allow-write/,
  ],
];

for (const [how, address, flags, says] of REFUSED) {
  test(`${how} ${address.replace(/\d{6,}.*/, "…")} with ${flags.join(" ") || "nothing"}`, async () => {
    const program = (how === "bind" ? bind : connect)(address);
    const error = await attempt(program, ...flags);
    assert.is(error.code, "EACCES", error.message);
    assert.is(error.errno, 13);
    assert.is(error.address, address);
    assert.match(error.message, says);
  });
}

test("inproc needs no permission at all", async () => {
  const told = await attempt(`
    const a = new z.Pair(), b = new z.Pair();
    await a.bind("inproc://x");
    b.connect("inproc://x");
    await b.send("x");
    await a.receive();
    a.close(); b.close();`);
  assert.equal(told, { message: "fine" });
});

test("just enough is enough", async () => {
  const pull = use(new Pull());
  const address = await bound(pull);
  const told = await attempt(
    `${connect(address)} ${bind("tcp://127.0.0.1:*")}`,
    `--allow-net=${address.slice(6)},127.0.0.1:0`,
  );
  assert.equal(told, { message: "fine" });
  const ipc = await attempt(
    `${bind(`ipc://${path}`)}`,
    "--allow-net",
    `--allow-read=${path}`,
    `--allow-write=${path}`,
  );
  assert.equal(ipc, { message: "fine" });
});

for (const [what, allowed] of [["path", path], ["directory", dirname(path)]]) {
  test(`with its ${what} alone an ipc path is taken from who has it`, async () => {
    const told = await attempt(
      `
      const options = () => ({ context: new z.Context(), linger: 0 });
      const first = new z.Pull(options()), second = new z.Pull(options());
      const push = new z.Push(options());
      const leads = async (socket, text) => {
        push.connect("ipc://${path}");
        await push.send(text);
        if (String(await socket.receive()) !== text) throw new Error(text);
        push.disconnect("ipc://${path}");
      };
      await first.bind("ipc://${path}");
      await leads(first, "first");
      await second.bind("ipc://${path}");
      first.close();
      await leads(second, "second");
      await second.unbind("ipc://${path}");
      await second.bind("ipc://${path}");
      await leads(second, "again");
      second.close(); push.close();`,
      "--allow-net",
      `--allow-read=${allowed}`,
      `--allow-write=${allowed}`,
    );
    assert.equal(told, { message: "fine" });
    assert.equal(readdirSync(dirname(path)), []);
  });
}

test("nothing ever prompts, and a refused bind leaves a usable socket", async () => {
  const told = await attempt(
    `
    const s = new z.Pull();
    const error = await s.bind("tcp://127.0.0.1:1").catch((e) => e);
    if (error.code !== "EACCES") throw error;
    await s.bind("tcp://127.0.0.1:*");
    s.close();`,
    "--allow-net=127.0.0.1:0",
  );
  assert.equal(told, { message: "fine" });
});

test.run();
