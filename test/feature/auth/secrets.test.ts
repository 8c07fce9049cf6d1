/** Keys: not in the module's memory longer than needed, and never in what is printed. */
import { Buffer } from "node:buffer";
import nodeCrypto from "node:crypto";
import { inspect } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { failure, until, within } from "../../support/deadline.ts";
import { event } from "../../support/events.ts";

/** All memories of modules, the default context's too: none exists before its first use. */
const memories: WebAssembly.Memory[] = [];
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor(descriptor: WebAssembly.MemoryDescriptor) {
    super(descriptor);
    memories.push(this);
  }
};
/** What was drawn as secret keys: of connections, of cookies, of key pairs. */
const drawn: Uint8Array[] = [];
let broken = false;
// deno-lint-ignore no-explicit-any
function follow(of: any, name: string): void {
  const original = of[name].bind(of);
  of[name] = (array: Uint8Array) => {
    if (broken) throw new Error("no entropy");
    original(array);
    if (array.length === 32) drawn.push(array.slice());
    return array;
  };
}
follow(nodeCrypto, "randomFillSync");
// The package keeps what it finds when it is loaded.
follow(crypto, "getRandomValues");
const {
  Context,
  context,
  curveKeyPair,
  curvePublicKey,
  Dealer,
  Reply,
  Request,
} = await import("zeromq-wasm");
const { Authenticator, Certificate, z85Decode } = await import(
  "zeromq-wasm/auth"
);

const test = suite("secrets");

/** In how many places the bytes are, in all memories. */
function places(bytes: Uint8Array): number {
  let count = 0;
  for (const memory of memories) {
    const all = Buffer.from(memory.buffer);
    for (let at = -1; (at = all.indexOf(bytes, at + 1)) >= 0;) count++;
  }
  return count;
}

const text = (key: string) => new TextEncoder().encode(key);

/** ZMQ_PLAIN_PASSWORD, ZMQ_CURVE_SECRETKEY, ZMQ_SOCKS_PASSWORD. */
const SECRET_OPTIONS = [46, 49, 100];

class ByNumber extends Dealer {
  set(option: number, value: string | Uint8Array): void {
    this.setStringOption(option, value);
  }
}

test("making a key pair, and a public key of a secret one, leaves nothing", () => {
  drawn.length = 0;
  const { publicKey, secretKey } = curveKeyPair();
  assert.is(drawn.length, 1);
  assert.equal([...z85Decode(secretKey)], [...drawn[0]!]);
  assert.is(curvePublicKey(secretKey), publicKey);
  assert.is(places(z85Decode(secretKey)), 0, "binary");
  assert.is(places(text(secretKey)), 0, "text");
});

test("keys of sockets are wiped when they close, those of connections too", async () => {
  drawn.length = 0;
  const own = new Context();
  const server = Certificate.create();
  const client = Certificate.create();
  const secrets = [server, client].map((it) => it.secretKey!);
  const authenticator = new Authenticator({ context: own });
  await authenticator.configureCurve({ keys: [client.publicKey] });
  await authenticator.start();

  const reply = new Reply({ context: own, curveServer: true, linger: 0 });
  server.apply(reply);
  await reply.bind("tcp://127.0.0.1:*");
  // One by bytes, one by text.
  const requests = [new Request({ context: own }), new Request()];
  client.apply(requests[0]!);
  requests[1]!.curvePublicKey = client.publicKey;
  requests[1]!.curveSecretKey = client.secretKey;
  for (const request of requests) {
    request.curveServerKey = server.publicKey;
    request.connect(reply.lastEndpoint!);
    await request.send("question");
    assert.is(
      String(await within(reply.receive(), "the question")),
      "question",
    );
    await reply.send("answer");
    assert.is(String(await within(request.receive(), "the answer")), "answer");
  }
  // The memory is searched rightly: they are there while they are needed.
  for (const secret of secrets) assert.ok(places(z85Decode(secret)) > 0);
  assert.ok(drawn.length >= 6, `${drawn.length} keys were drawn`);
  assert.ok(drawn.filter((key) => places(key) > 0).length >= 4);

  for (const socket of [reply, ...requests]) socket.close();
  await authenticator.stop();
  await until(
    () => own.resources.sockets + context.resources.sockets === 0,
    "the end of the sockets",
  );
  for (const secret of secrets) {
    assert.is(places(z85Decode(secret)), 0, "a binary key");
    assert.is(places(text(secret)), 0, "a key as text");
  }
  for (const key of drawn) assert.is(places(key), 0, "a short-term key");
});

test("secrets that are set by number are in the module once, and the program's bytes stay", () => {
  const socket = new ByNumber();
  for (const option of SECRET_OPTIONS) {
    const { secretKey } = curveKeyPair();
    const bytes = text(secretKey);
    socket.set(option, secretKey);
    socket.set(option, bytes);
    const isKey = option === 49;
    assert.is(places(text(secretKey)), isKey ? 0 : 1, String(option));
    assert.is(places(z85Decode(secretKey)), isKey ? 1 : 0, String(option));
    assert.equal(bytes, text(secretKey));
  }
  socket.close();
});

test("keys of a connection are wiped when it ends, and the server goes on", async () => {
  const own = new Context();
  const server = curveKeyPair();
  const reply = new Reply({
    context: own,
    curveServer: true,
    curveSecretKey: server.secretKey,
  });
  await reply.bind("tcp://127.0.0.1:*");
  drawn.length = 0;
  const { publicKey, secretKey } = curveKeyPair();
  const request = new Request({
    curveServerKey: server.publicKey,
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
  });
  request.connect(reply.lastEndpoint!);
  await request.send("question");
  await within(reply.receive(), "the question");
  const gone = event(reply, "disconnect");
  request.close();
  await gone;
  await until(() => context.resources.sockets === 0, "the end of the client");
  await until(
    () => drawn.every((key) => places(key) === 0),
    "the end of the short-term keys",
  );
  assert.is(places(z85Decode(secretKey)), 0);
  assert.ok(places(z85Decode(server.secretKey)) > 0);
  reply.close();
});

test("no error shows a secret", async () => {
  const { secretKey } = curveKeyPair();
  const socket = new Dealer(), byNumber = new ByNumber();
  const bad = secretKey.slice(1) + "~";
  for (const name of ["curveSecretKey", "plainPassword"] as const) {
    const long = bad.repeat(9);
    for (const value of [long, Buffer.from(long), 7, { key: bad }, [bad]]) {
      const error = await failure(() => {
        socket[name] = value as string;
      }, `setting ${name}`);
      assert.not.ok(inspect(error, { depth: 9 }).includes(bad.slice(1, 9)));
    }
  }
  for (const option of SECRET_OPTIONS) {
    const error = await failure(() => {
      byNumber.set(option, bad.repeat(9));
    }, `setting ${option}`);
    assert.not.ok(inspect(error, { depth: 9 }).includes(bad.slice(1, 9)));
  }
  byNumber.close();
  assert.throws(
    () => curvePublicKey(bad),
    (error: Error) => !inspect(error).includes(bad.slice(1, 9)),
  );
  socket.close();
});

test("printing a socket, a certificate or an authenticator shows no secret", () => {
  const { secretKey, publicKey } = curveKeyPair();
  const socket = new Reply({
    curveServer: true,
    curveSecretKey: secretKey,
    curvePublicKey: publicKey,
  });
  const plain = new Reply({ plainUsername: "me", plainPassword: "pass-word" });
  const authenticator = new Authenticator();
  authenticator.configurePlain({ passwords: { me: "pass-word" } });
  const certificate = new Certificate({ secretKey });
  for (const it of [socket, plain, authenticator, certificate]) {
    for (const options of [{}, { showHidden: true, getters: true, depth: 9 }]) {
      const shown = inspect(it, options) + JSON.stringify(it) +
        JSON.stringify({ ...it });
      assert.not.ok(shown.includes(secretKey), shown);
      assert.not.ok(shown.includes("pass-word"), shown);
    }
  }
  socket.close();
  plain.close();
});

test("the trace shows no key and no password", async () => {
  const lines: string[] = [];
  const own = new Context({ trace: (line) => void lines.push(line) });
  const { publicKey, secretKey } = curveKeyPair();
  const authenticator = new Authenticator({ context: own });
  authenticator.configurePlain({ passwords: { me: "pass-word" } });
  await authenticator.start();
  const options = [
    [{ plainServer: true }, {
      plainUsername: "me",
      plainPassword: "pass-word",
    }],
    [{ curveServer: true, curveSecretKey: secretKey }, {
      curveServerKey: publicKey,
      curvePublicKey: publicKey,
      curveSecretKey: secretKey,
    }],
  ];
  for (const [mine, theirs] of options) {
    const reply = new Reply({ context: own, ...mine });
    const request = new Request({ context: own, ...theirs });
    await reply.bind("tcp://127.0.0.1:*");
    const met = event(reply, "handshake", "handshake:error:auth");
    request.connect(reply.lastEndpoint!);
    await met;
    reply.close();
    request.close();
  }
  await authenticator.stop();
  assert.ok(lines.length > 20);
  for (const line of lines) {
    assert.not.ok(line.includes(secretKey) || line.includes("pass-word"), line);
  }
});

test("no random numbers: an error, never a weak key", async () => {
  // Nothing of a dead or half-dead pair is worth waiting for at the end.
  const own = new Context({ blocky: false });
  const server = new Reply({
    context: new Context({ blocky: false }),
    curveServer: true,
  });
  const keys = curveKeyPair();
  server.curveSecretKey = keys.secretKey;
  await server.bind("tcp://127.0.0.1:*");
  const client = new Request({
    context: own,
    curveServerKey: keys.publicKey,
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
  });
  broken = true;
  try {
    client.connect(server.lastEndpoint!);
    await client.send("question");
    // Whoever needs random numbers first; the other one waits for it then.
    const ends = [server, client].map((socket) =>
      socket.receive().then(() => "a message", (error) => error.message)
    );
    assert.match(await within(Promise.race(ends), "an error"), "no entropy");
    // The default context is dead after this: the last thing that this file does.
    const made = await failure(() => curveKeyPair(), "making keys");
    assert.match(made.message, "no entropy");
  } finally {
    broken = false;
    server.close();
    client.close();
  }
});

test.run();
