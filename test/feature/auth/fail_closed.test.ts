/** Whatever happens to the ZAP handler, a protected server lets nobody in by mistake. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Context,
  curveKeyPair,
  Dealer,
  Pull,
  Push,
  Reply,
  Router,
} from "zeromq-wasm";
import { Authenticator, CURVE_ALLOW_ANY } from "zeromq-wasm/auth";
import { failure, within } from "../../support/deadline.ts";
import { event } from "./tools.ts";

const test = suite("fail closed");

const ZAP = "inproc://zeromq.zap.01";
const keys = { server: curveKeyPair(), client: curveKeyPair() };

type Mechanism = "NULL" | "PLAIN" | "CURVE";
const SERVER: Record<Mechanism, Record<string, unknown>> = {
  NULL: {},
  PLAIN: { plainServer: true },
  CURVE: { curveServer: true, curveSecretKey: keys.server.secretKey },
};
const CLIENT: Record<Mechanism, Record<string, unknown>> = {
  NULL: {},
  PLAIN: { plainUsername: "user", plainPassword: "password" },
  CURVE: {
    curveServerKey: keys.server.publicKey,
    curvePublicKey: keys.client.publicKey,
    curveSecretKey: keys.client.secretKey,
  },
};
const ALL: Mechanism[] = ["NULL", "PLAIN", "CURVE"];

/** A server, and a client that has sent it "hello" as soon as it is let in. */
class Ends {
  readonly server: Pull;
  readonly client: Push;
  readonly message: Promise<Uint8Array[]>;

  constructor(
    context: Context,
    readonly mechanism: Mechanism,
    options: Record<string, unknown> = {},
  ) {
    this.server = new Pull({
      context,
      linger: 0,
      zapDomain: "protected",
      ...SERVER[mechanism],
      ...options,
    });
    // A context of its own, as if it were another process.
    this.client = new Push({ context: new Context(), linger: 0 });
    Object.assign(this.client, CLIENT[mechanism]);
    this.message = this.server.receive();
    this.message.catch(() => {});
  }

  async connect(): Promise<void> {
    await this.server.bind("tcp://127.0.0.1:*");
    this.client.connect(this.server.lastEndpoint!);
    // Waits for a connection, and fails when the client is closed without.
    this.client.send("hello").catch(() => {});
  }

  /** Resolves when the server has given up on a connection without taking a message. */
  async refused(): Promise<void> {
    const over = event(this.server, "disconnect", "handshake:error:other");
    const who = await within(
      Promise.race([over, this.message.then(() => "a message")]),
      "a refusal",
    );
    assert.not.equal(who, "a message");
  }

  close(): void {
    this.server.close();
    this.client.close();
  }
}

/** Runs a handler of ours: what `answer` returns is sent for each request. */
async function handler(
  context: Context,
  answer: (frames: Uint8Array[]) => (string | Uint8Array)[][],
): Promise<Router> {
  const router = new Router({ context, linger: 0 });
  await router.bind(ZAP);
  void (async () => {
    for await (const frames of router) {
      for (const reply of answer(frames)) {
        // The test may be over before the request is answered.
        if (!router.closed) await router.send(reply);
      }
    }
  })();
  return router;
}

for (const mechanism of ALL) {
  test(`${mechanism}: no handler, enforced: refused at once`, async () => {
    const ends = new Ends(new Context(), mechanism, { zapEnforceDomain: true });
    const error = mechanism === "PLAIN"
      ? undefined
      : event(ends.server, "handshake:error:other");
    const refused = ends.refused();
    await ends.connect();
    await refused;
    if (error) assert.is((await error).error.code, "EFAULT");
    ends.close();
  });

  test(`${mechanism}: the handler has gone: refused; it is back: let in`, async () => {
    const context = new Context();
    const authenticator = new Authenticator({ context });
    authenticator.configurePlain({ passwords: { user: "password" } });
    await authenticator.configureCurve({ location: CURVE_ALLOW_ANY });
    await authenticator.start();
    await authenticator.stop();
    assert.not.ok(authenticator.running);

    // NULL says nothing to a peer that it refuses, and waits for it to give up.
    const ends = new Ends(context, mechanism, { handshakeInterval: 100 });
    const refused = ends.refused();
    await ends.connect();
    await refused;
    await authenticator.start();
    assert.is(String(await within(ends.message, "the message")), "hello");
    await authenticator.stop();
    ends.close();
  });

  test(`${mechanism}: the handler says nothing: refused in handshakeInterval`, async () => {
    const context = new Context();
    const silent = await handler(context, () => []);
    const ends = new Ends(context, mechanism, { handshakeInterval: 100 });
    const refused = ends.refused();
    await ends.connect();
    await refused;
    silent.close();
    ends.close();
  });

  test(`${mechanism}: the handler is closed with a question open: refused`, async () => {
    const context = new Context();
    const asked = handler(context, () => {
      void asked.then((router) => router.close());
      return [];
    });
    await asked;
    const ends = new Ends(context, mechanism, { handshakeInterval: 100 });
    const refused = ends.refused();
    await ends.connect();
    await refused;
    ends.close();
  });

  test(`${mechanism}: the handler answers twice: the context lives on`, async () => {
    const context = new Context();
    const twice = await handler(context, ([id, empty, version, request]) => {
      const yes = [id!, empty!, version!, request!, "200", "OK", "me", ""];
      return [yes, yes];
    });
    const ends = new Ends(context, mechanism);
    const over = event(ends.server, "disconnect", "handshake");
    await ends.connect();
    await over;
    twice.close();
    ends.close();
    // An assertion of libzmq would have ended every socket of the context.
    const other = new Dealer({ context });
    await other.bind("tcp://127.0.0.1:*");
    other.close();
  });
}

/** What a handler may answer instead of an answer, and what libzmq calls it. */
const NONSENSE: [
  what: string,
  code: string,
  answer: (parts: string[]) => string[],
][] = [
  ["too few frames", "ERR_ZAP_MALFORMED_REPLY", (p) => p.slice(0, 4)],
  ["too many frames", "ERR_ZAP_MALFORMED_REPLY", (p) => [...p, "more"]],
  [
    "another version",
    "ERR_ZAP_BAD_VERSION",
    ([, ...rest]) => ["1.1", ...rest],
  ],
  [
    "another request",
    "ERR_ZAP_BAD_REQUEST_ID",
    ([v, , ...rest]) => [v!, "2", ...rest],
  ],
  ...["", "2", "2000", "201", "210", "100", "600", "OK", "abc"].map((status) =>
    [
      `the status ${JSON.stringify(status)}`,
      "ERR_ZAP_INVALID_STATUS_CODE",
      ([v, id, , ...rest]: string[]) => [v!, id!, status, ...rest],
    ] as typeof NONSENSE[number]
  ),
  [
    "broken metadata",
    "ERR_ZAP_INVALID_METADATA",
    (p) => [...p.slice(0, 5), "\x09x\0\0"],
  ],
];
for (const mechanism of ALL) {
  test(`${mechanism}: nonsense from the handler: refused, with the reason`, async () => {
    const context = new Context();
    let answer = NONSENSE[0]![2];
    const router = await handler(context, ([id, empty, version, request]) => {
      const yes = [String(version), String(request), "200", "OK", "me", ""];
      return [[id!, empty!, ...answer(yes)]];
    });
    for (const [what, code, wrong] of NONSENSE) {
      answer = wrong;
      const ends = new Ends(context, mechanism);
      const error = event(ends.server, "handshake:error:protocol");
      const refused = ends.refused();
      await ends.connect();
      assert.is((await error).error.code, code, what);
      await refused;
      ends.close();
    }
    router.close();
  });
}

test("a handler of a wrong type is refused when it binds", async () => {
  for (const Type of [Pull, Dealer, Push]) {
    const socket = new Type({ context: new Context() });
    const error = await failure(() => socket.bind(ZAP), "binding it");
    assert.is(error.code, "EINVAL");
    assert.match(error.message, "must be a Reply or a Router");
    socket.close();
  }
});

test("two handlers, or one started twice: a clear error", async () => {
  const context = new Context();
  const first = new Authenticator({ context });
  const second = new Authenticator({ context });
  await first.start();
  const error = await failure(() => second.start(), "starting another");
  assert.is(error.code, "EADDRINUSE");
  assert.match(error.message, "has a ZAP handler already");
  assert.match(
    (await failure(() => first.start(), "starting it again")).message,
    "running already",
  );
  assert.ok(first.running && !second.running);
  await first.stop();
  await second.start();
  await second.stop();
  await second.stop();

  const raw = new Reply({ context });
  await raw.bind(ZAP);
  assert.is(
    (await failure(() => first.start(), "starting")).code,
    "EADDRINUSE",
  );
  raw.close();
});

test("a server that enforces a domain but has none is refused when it binds or connects", async () => {
  // libzmq would let everybody in with NULL and CURVE, and abort with PLAIN.
  for (const mechanism of ALL) {
    const options = { zapEnforceDomain: true, ...SERVER[mechanism] };
    const server = new Pull({ context: new Context(), ...options });
    for (
      const use of [
        () => server.bind("tcp://127.0.0.1:*"),
        () => server.connect("tcp://127.0.0.1:1"),
      ]
    ) {
      const error = await failure(async () => await use(), mechanism);
      assert.is(error.code, "EINVAL", mechanism);
      assert.match(error.message, "no zapDomain");
    }
    server.zapDomain = "protected";
    await server.bind("tcp://127.0.0.1:*");
    server.connect("tcp://127.0.0.1:1");
    server.close();
  }
});

test("a domain that is enforced, and the handler of which admits", async () => {
  for (const mechanism of ALL) {
    const context = new Context();
    const zap = await handler(context, ([peer, , version, id]) => [
      [peer!, "", version!, id!, "200", "OK", "somebody", ""],
    ]);
    const ends = new Ends(context, mechanism, { zapEnforceDomain: true });
    await ends.connect();
    assert.is(String(await within(ends.message, mechanism)), "hello");
    ends.close();
    zap.close();
  }
});

test("stopping answers those who wait: they may come back", async () => {
  const context = new Context();
  const authenticator = new Authenticator({ context });
  let asked: () => void = () => {};
  const waiting = new Promise<void>((resolve) => asked = resolve);
  authenticator.configurePlain({
    check: () => {
      asked();
      return new Promise<boolean>(() => {});
    },
  });
  await authenticator.start();
  const ends = new Ends(context, "PLAIN");
  const refusal = event(ends.server, "handshake:error:auth");
  await ends.connect();
  await within(waiting, "the check");
  await authenticator.stop();
  assert.is((await refusal).error.status, 300);
  ends.close();
});

test("stopped while it starts, it does not run", async () => {
  const authenticator = new Authenticator({ context: new Context() });
  const starting = authenticator.start();
  await within(authenticator.stop(), "the stop");
  await starting;
  assert.is(authenticator.running, false);
  await authenticator.start();
  assert.is(authenticator.running, true);
  await authenticator.stop();
});

test.run();
