/** The file of an ipc listener: who binds a path takes it, and closing removes one's own only. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push } from "zeromq-wasm";
import {
  bound,
  closeAll,
  isBun,
  isDeno,
  next,
  rejection,
  runProgram,
  thrown,
  until,
  use,
  within,
} from "./tools.ts";

const test = suite("ipc files");
test.after.each(closeAll);

/** A directory of its own, with a path of so many bytes if that is given. */
function folder(length?: number): string {
  const made = mkdtempSync(join(realpathSync(tmpdir()), "zf-"));
  use({ close: () => rmSync(made, { recursive: true, force: true }) });
  if (length === undefined) return made;
  const long = `${made}/${"x".repeat(length - made.length - 1)}`;
  mkdirSync(long);
  return long;
}

const BINDS = {
  bind: (socket: Pull, path: string) =>
    within(socket.bind(`ipc://${path}`), "bind"),
  // deno-lint-ignore require-await -- throws as the other rejects
  bindSync: async (socket: Pull, path: string) =>
    socket.bindSync(`ipc://${path}`),
};
const ways = Object.entries(BINDS);

/** The path leads to this socket. */
async function leads(path: string, socket: Pull, what = path): Promise<void> {
  assert.ok(lstatSync(path).isSocket(), what);
  const push = use(new Push({ context: new Context(), linger: 0 }));
  push.connect(`ipc://${path}`);
  await push.send(what);
  assert.equal(await next(socket, what), [what]);
  push.close();
}

/** Closes, and waits until its listener is gone as well. */
async function end(socket: Pull): Promise<void> {
  socket.close();
  const { context } = socket;
  await until(() => context.resources.listeners === 0, "no listener");
}

const alone = () => use(new Pull({ context: new Context() }));

for (const [way, bind] of ways) {
  test(`${way}: who binds a path has it, whatever becomes of who had it`, async () => {
    const path = join(folder(), "socket");
    const first = alone(), second = alone(), third = alone();
    await bind(first, path);
    await leads(path, first);
    await bind(second, path);
    await leads(path, second);
    await end(first);
    await leads(path, second, "after the first is closed");
    await bind(third, path);
    await end(third);
    assert.equal(readdirSync(join(path, "..")), []);
    await end(second);
    assert.equal(readdirSync(join(path, "..")), []);
  });

  test(`${way}: a path is bound again by the same socket and by others, in every order`, async () => {
    // In the second no fresh name fits. There Deno removes a file turns after its listener is
    // closed, for which `bindSync` cannot wait.
    const long = isDeno && way === "bindSync" ? [] : [folder(99)];
    for (const where of [folder(), ...long]) {
      const path = join(where, "s");
      const context = new Context();
      const [a, b, c] = [1, 2, 3].map(() => use(new Pull({ context })));
      await bind(a!, path);
      await bind(b!, path);
      await leads(path, b!, "b");
      a!.close();
      await bind(c!, path);
      b!.close();
      await leads(path, c!, "c");
      await c!.unbind(`ipc://${path}`);
      await until(() => !existsSync(path), "the file is gone");
      for (let i = 0; i < 3; i++) {
        await bind(c!, path);
        await leads(path, c!, `c again ${i}`);
        await c!.unbind(`ipc://${path}`);
      }
      await bind(c!, path);
      c!.close();
      await until(() => readdirSync(where).length === 0, "nothing is left");
    }
  });

  test(`${way}: a file in the way is replaced, a directory is not`, async () => {
    const where = folder();
    writeFileSync(join(where, "file"), "text");
    writeFileSync(join(where, "other"), "text");
    symlinkSync("other", join(where, "link"));
    symlinkSync("nothing", join(where, "dangling"));
    for (const name of ["file", "link", "dangling", "new"]) {
      const socket = alone(), path = join(where, name);
      await bind(socket, path);
      await leads(path, socket);
      await end(socket);
      assert.is(existsSync(path), false, name);
    }
    assert.is(readFileSync(join(where, "other"), "utf8"), "text");
    mkdirSync(join(where, "empty"));
    mkdirSync(join(where, "full"));
    writeFileSync(join(where, "full", "file"), "text");
    for (const name of ["empty", "full"]) {
      const bound = bind(alone(), join(where, name));
      assert.is((await rejection(bound)).code, "EADDRINUSE", name);
    }
    const missing = bind(alone(), join(where, "missing", "s"));
    assert.is((await rejection(missing)).code, "ENOENT");
    assert.equal(readdirSync(where).sort(), ["empty", "full", "other"]);
  });

  test(`${way}: a relative path is that of then, wherever the program goes`, async () => {
    const before = process.cwd(), where = folder(), elsewhere = folder();
    use({ close: () => process.chdir(before) });
    // For a fresh name like a number, which node:net would take for a port.
    const { random } = Math;
    use({ close: () => Math.random = random });
    Math.random = () => parseInt("12345678", 36) / 36 ** 8;
    const socket = alone();
    process.chdir(where);
    await bind(socket, "socket");
    process.chdir(elsewhere);
    writeFileSync("socket", "precious");
    await leads(join(where, "socket"), socket);
    await end(socket);
    assert.equal(readdirSync(where), []);
    assert.is(readFileSync("socket", "utf8"), "precious");
  });

  test(`${way}: another file that came to the path stays`, async () => {
    const path = join(folder(), "socket");
    const socket = alone();
    await bind(socket, path);
    rmSync(path);
    writeFileSync(path, "precious");
    await end(socket);
    assert.is(readFileSync(path, "utf8"), "precious");
  });
}

// Not as root's: that may remove everything.
const { seteuid, getuid } = process;
const others = isDeno || isBun || getuid?.() !== 0 ? test.skip : test;
others("a file of another user in the way is an address in use", async () => {
  const where = folder();
  chmodSync(where, 0o1777);
  const path = join(where, "socket");
  const server = createServer().listen(path);
  use(server);
  await within(new Promise((done) => server.once("listening", done)), "listen");
  seteuid!(65534);
  try {
    for (const [way, bind] of ways) {
      const bound = bind(alone(), path);
      assert.is((await rejection(bound)).code, "EADDRINUSE", way);
      await bind(alone(), join(where, way));
    }
  } finally {
    seteuid!(0);
  }
  assert.ok(existsSync(path));
});

for (const end of ["s.close()", "", "process.exit(0)"]) {
  test(`a process that ends with ${end || "no word"} leaves the path to who has it`, async () => {
    const path = join(folder(), "socket");
    const teller = use(new Push());
    const telling = await bound(teller);
    const taker = use(new Pull());
    let taken: Promise<void> | undefined;
    const old = await runProgram(
      `const s = globalThis.s = new z.Pull();
       await s.bind("ipc://${path}");
       const t = new z.Pull();
       t.connect("${telling}");
       console.log("ready");
       await t.receive();
       t.close();
       ${end}`,
      {
        started() {
          taken = BINDS.bind(taker, path).then(() => teller.send("end"));
        },
      },
    );
    await taken;
    assert.is(old.code, 0, old.err);
    await leads(path, taker);
  });

  test(`a process that ends with ${end || "no word"} leaves no file`, async () => {
    const where = folder();
    const { code, err } = await runProgram(
      `const s = globalThis.s = new z.Pull();
       await s.bind("ipc://${where}/socket");
       ${end}`,
    );
    assert.is(code, 0, err);
    assert.equal(readdirSync(where), []);
  });
}

test("nothing is left of what fails", () => {
  const where = folder(), inner = join(where, "inner");
  mkdirSync(inner);
  const error = thrown(() => alone().bindSync(`ipc://${inner}`));
  assert.is(error.code, "EADDRINUSE");
  assert.equal(readdirSync(where), ["inner"]);
});

test.run();
