/** With CZMQ on native libzmq: zcert's files, and each side's authenticator before the other. */
import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { curveKeyPair, Pull, Push } from "zeromq-wasm";
import { Authenticator, Certificate } from "zeromq-wasm/auth";
import { within } from "../../support/deadline.ts";

const folder = fs.mkdtempSync(join(tmpdir(), "auth-czmq-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

const program = join(folder, "czmq");
const compiled = spawnSync("gcc", [
  "-o",
  program,
  join(process.cwd(), "test/feature/auth/czmq.c"),
  "-lczmq",
  "-lzmq",
], { encoding: "utf8" });
const test = suite("auth with CZMQ");
const missing = compiled.status !== 0;

/** A test that is skipped where CZMQ is not installed, but not in CI. */
function withCzmq(name: string, run: () => Promise<void>): void {
  if (missing && !process.env["CI"]) test.skip(name, run);
  else {
    test(name, async () => {
      assert.not.ok(missing, `no CZMQ: ${compiled.stderr}`);
      await run();
    });
  }
}

function czmq(...args: string[]): string[] {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
  });
  assert.is(status, 0, stderr);
  return stdout.trimEnd().split("\n");
}

withCzmq("CZMQ writes certificates, we read them", async () => {
  const file = join(folder, "theirs.cert");
  const [publicKey, secretKey, name] = czmq("create", file);
  const open = await Certificate.load(file);
  assert.is(open.publicKey, publicKey);
  assert.is(open.secretKey, null);
  const secret = await Certificate.load(`${file}_secret`);
  assert.is(secret.secretKey, secretKey);
  assert.is(secret.metadata["name"], name);
});

withCzmq("we write certificates, CZMQ reads them", async () => {
  const file = join(folder, "ours.cert");
  const certificate = Certificate.create({ name: "made by us" });
  await certificate.save(file);
  assert.equal(czmq("read", file), [
    certificate.publicKey,
    certificate.secretKey,
    "made by us",
  ]);
});

withCzmq("CZMQ's zauth before our client", async () => {
  const known = join(folder, "known");
  fs.mkdirSync(known);
  const certificate = Certificate.create();
  await certificate.savePublic(join(known, "client.cert"));
  const child = spawn(program, ["serve", known]);
  const lines = createInterface({ input: child.stdout })[
    Symbol.asyncIterator
  ]();
  const next = async () =>
    (await within(lines.next(), "a line of CZMQ")).value as string;
  const [port, serverKey] = (await next()).split(" ");
  const stranger = curveKeyPair();
  const make = (keys: { publicKey: string; secretKey: string }) => {
    const push = new Push({
      curveServerKey: serverKey!,
      curvePublicKey: keys.publicKey,
      curveSecretKey: keys.secretKey,
      linger: 0,
    });
    return push;
  };
  const refused = make(stranger);
  const event = new Promise((resolve) =>
    refused.events.on("handshake:error:auth", resolve)
  );
  refused.connect(`tcp://127.0.0.1:${port}`);
  const { error } = await within(event, "the refusal") as {
    error: { status: number };
  };
  assert.is(error.status, 400);
  refused.close();
  const { publicKey, secretKey } = certificate;
  const push = make({ publicKey, secretKey: secretKey! });
  push.connect(`tcp://127.0.0.1:${port}`);
  await push.send("to CZMQ");
  assert.is(await next(), "to CZMQ");
  push.close();
});

withCzmq("our authenticator before CZMQ's client", async () => {
  const file = join(folder, "client.cert");
  const [publicKey] = czmq("create", file);
  const server = curveKeyPair();
  const auth = new Authenticator();
  auth.configureCurve({ keys: [publicKey!] });
  await auth.start();
  const pull = new Pull({
    curveServer: true,
    curveSecretKey: server.secretKey,
  });
  await pull.bind("tcp://127.0.0.1:*");
  const child = spawn(program, [
    "send",
    file,
    pull.lastEndpoint!,
    server.publicKey,
    "from CZMQ",
  ]);
  const [message] = await within(pull.receive(), "a message of CZMQ");
  assert.is(String(message), "from CZMQ");
  await new Promise((resolve) => child.once("exit", resolve));
  pull.close();
  await auth.stop();
});

test.run();
