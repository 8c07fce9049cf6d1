/** The authenticator as libzmq sees it: requests and answers of ZAP. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Authenticator, Certificate, CURVE_ALLOW_ANY } from "zeromq-wasm/auth";
import { failure } from "../../support/deadline.ts";
import { curve, HEAD, head, plain, REFUSED, zapTests } from "./tools.ts";

const test = suite("authenticator");
const zapTest = zapTests(test);

zapTest(
  "until configured: NULL passes, PLAIN and CURVE do not",
  async ({ client }) => {
    assert.equal(
      await client.ask(...head("x"), "NULL"),
      [...HEAD, "200", "OK", "anonymous", ""],
    );
    assert.equal(
      await client.ask(...plain("x", "a", "b")),
      [...HEAD, "400", "No passwords defined", ...REFUSED],
    );
    assert.equal(
      await client.ask(...curve("x", Certificate.create().publicKey)),
      [...HEAD, "400", "Unknown domain", ...REFUSED],
    );
  },
);

zapTest(
  "passwords, by domain, with a default, changed at any time",
  async ({ authenticator, client, log }) => {
    const passwords: Record<string, string> = { admin: "secret", "": "empty" };
    authenticator.configurePlain({ domain: "a", passwords });
    authenticator.configurePlain({ passwords: new Map([["guest", "g"]]) });
    const ask = async (domain: string, user: string, password: string) =>
      (await client.ask(...plain(domain, user, password))).slice(2, 5);

    assert.equal(await ask("a", "admin", "secret"), ["200", "OK", "admin"]);
    assert.equal(await ask("a", "admin", "secreT"), [
      "400",
      "Invalid password",
      "",
    ]);
    assert.equal(await ask("a", "admin", ""), ["400", "Invalid password", ""]);
    assert.equal(await ask("a", "admin", "secretsecret"), [
      "400",
      "Invalid password",
      "",
    ]);
    assert.equal(await ask("a", "guest", "g"), ["400", "Invalid username", ""]);
    assert.equal(await ask("a", "", "empty"), ["200", "OK", ""]);
    for (const name of ["constructor", "__proto__", "toString"]) {
      assert.equal(await ask("a", name, ""), ["400", "Invalid username", ""]);
    }
    assert.equal(await ask("b", "guest", "g"), ["200", "OK", "guest"]);
    assert.equal(await ask("", "guest", "g"), ["200", "OK", "guest"]);
    assert.equal(await ask("", "admin", "secret"), [
      "400",
      "Invalid username",
      "",
    ]);
    passwords.admin = "new";
    assert.equal(await ask("a", "admin", "secret"), [
      "400",
      "Invalid password",
      "",
    ]);
    assert.equal(await ask("a", "admin", "new"), ["200", "OK", "admin"]);
    assert.not.ok(JSON.stringify(log.decisions).includes("secret"));
    assert.equal(log.errors, []);
  },
);

zapTest(
  "a domain without rules, where there is no default",
  async ({ authenticator, client }) => {
    authenticator.configurePlain({ domain: "a", passwords: { x: "y" } });
    const key = Certificate.create().publicKey;
    await authenticator.configureCurve({ domain: "a", keys: [key] });
    assert.is((await client.ask(...plain("b", "x", "y")))[3], "Invalid domain");
    assert.is((await client.ask(...curve("b", key)))[3], "Unknown domain");
    assert.is((await client.ask(...curve("a", key)))[2], "200");
  },
);

zapTest(
  "allowed addresses still need credentials",
  async ({ authenticator, client }) => {
    authenticator.allow("10.0.0.0/24", "::1");
    authenticator.configurePlain({ passwords: { x: "y" } });
    const ask = async (address: string, ...rest: string[]) =>
      (await client.ask(...head("d", address), ...rest)).slice(2, 4);
    assert.equal(await ask("10.0.0.9", "NULL"), ["200", "OK"]);
    assert.equal(await ask("::1", "NULL"), ["200", "OK"]);
    assert.equal(await ask("10.0.0.9", "PLAIN", "x", "z"), [
      "400",
      "Invalid password",
    ]);
    for (const address of ["10.0.1.9", "::2", "", "somewhere"]) {
      assert.equal(await ask(address, "NULL"), [
        "400",
        "Address not in whitelist",
      ]);
      assert.equal(await ask(address, "PLAIN", "x", "y"), [
        "400",
        "Address not in whitelist",
      ]);
    }
  },
);

zapTest("denied addresses", async ({ authenticator, client }) => {
  authenticator.deny("10.0.0.0/24");
  const ask = async (address: string) =>
    (await client.ask(...head("d", address), "NULL"))[2];
  assert.is(await ask("10.0.0.9"), "400");
  assert.is(await ask("::ffff:10.0.0.9"), "400");
  assert.is(await ask("10.0.1.9"), "200");
  // ipc and inproc have no address; what is no address at all is refused.
  assert.is(await ask(""), "200");
  assert.is(await ask("somewhere"), "400");
});

zapTest("keys, any key, a check", async ({ authenticator, client }) => {
  const known = Certificate.create().publicKey;
  const stranger = Certificate.create().publicKey;
  const keys = new Set([known]);
  await authenticator.configureCurve({ keys });
  assert.equal(
    await client.ask(...curve("d", known)),
    [...HEAD, "200", "OK", known, ""],
  );
  assert.is((await client.ask(...curve("d", stranger)))[3], "Unknown key");
  keys.delete(known);
  assert.is((await client.ask(...curve("d", known)))[3], "Unknown key");

  await authenticator.configureCurve({ location: CURVE_ALLOW_ANY });
  assert.is((await client.ask(...curve("d", stranger)))[4], stranger);

  const seen: unknown[] = [];
  await authenticator.configureCurve({
    check: async (request) => {
      seen.push(request);
      return await Promise.resolve(request.publicKey === known);
    },
  });
  assert.is((await client.ask(...curve("d", known)))[4], known);
  assert.is((await client.ask(...curve("d", stranger)))[2], "400");
  assert.equal(seen[0], {
    mechanism: "CURVE",
    domain: "d",
    address: "10.0.0.1",
    routingId: new TextEncoder().encode("server"),
    publicKey: known,
  });
});

zapTest(
  "what a check may answer: status, reason, User-Id, metadata",
  async ({ authenticator, client }) => {
    let answer: unknown = true;
    authenticator.configurePlain({ check: () => answer as boolean });
    const ask = async (value: unknown) => {
      answer = value;
      return (await client.ask(...plain("d", "me", "x"))).slice(2);
    };
    assert.equal(await ask(true), ["200", "OK", "me", ""]);
    assert.equal(
      await ask({
        status: 200,
        userId: "user 7",
        metadata: { Role: "boss", n: "1" },
      }),
      ["200", "OK", "user 7", "\x04Role\0\0\0\x04boss\x01n\0\0\0\x011"],
    );
    assert.equal(await ask({ status: 300 }), [
      "300",
      "Try again later",
      "",
      "",
    ]);
    assert.equal(
      await ask({ status: 300, reason: "the database is down", userId: "x" }),
      ["300", "the database is down", "", ""],
    );
    assert.equal(
      await ask({ status: 400, reason: "expired", metadata: { a: "b" } }),
      ["400", "expired", "", ""],
    );
    assert.equal(await ask({ status: 500 }), [
      "500",
      "Invalid user or password",
      "",
      "",
    ]);
  },
);

zapTest(
  "a check that fails or answers nonsense refuses",
  async ({ authenticator, client, log }) => {
    const answers: (() => unknown)[] = [
      () => undefined,
      () => null,
      () => 1,
      () => "yes",
      () => ({}),
      () => ({ status: 201 }),
      () => ({ status: "200" }),
      () => ({ status: 200, userId: 7 }),
      () => ({ status: 200, metadata: { "": "x" } }),
      () => ({ status: 200, metadata: { x: 1 } }),
      () => ({ status: 200, metadata: { ["x".repeat(256)]: "" } }),
      () => {
        throw new Error("the database is down");
      },
      () => Promise.reject(new Error("the database is down")),
    ];
    for (const [i, answer] of answers.entries()) {
      authenticator.configurePlain({ check: answer as () => boolean });
      assert.equal(
        (await client.ask(...plain("d", "me", "x"))).slice(2),
        ["500", "Internal error", "", ""],
        `answer ${i}`,
      );
      assert.is((await log.next()).allowed, false);
      assert.is(log.errors.length, i + 1);
    }
  },
);

zapTest(
  "a slow check is a temporary refusal, and its late answer is none",
  async ({ authenticator, client, log }) => {
    let late: ((answer: boolean) => void) | undefined;
    authenticator.configurePlain({
      check: () => new Promise((resolve) => late = resolve),
    });
    assert.is((await client.ask(...plain("d", "me", "x")))[2], "300");
    assert.match(log.errors[0]!.message, "took more than 30 ms");
    late!(true);
    // The next answer belongs to the next question.
    assert.is((await client.ask(...head("d"), "NULL"))[4], "anonymous");
  },
  { checkTimeout: 30 },
);

zapTest(
  "a check may have any time",
  async ({ authenticator, client }) => {
    authenticator.configurePlain({
      check: () => new Promise((resolve) => setTimeout(resolve, 5, true)),
    });
    assert.is((await client.ask(...plain("d", "me", "x")))[2], "200");
  },
  { checkTimeout: Infinity },
);

test("limits that are none, and no passwords, are refused at once", () => {
  for (const value of [-1, NaN]) {
    for (const name of ["checkTimeout", "maxPending"]) {
      assert.throws(
        () => new Authenticator({ [name]: value }),
        (error: Error) => error instanceof RangeError,
      );
    }
  }
  assert.throws(
    () => new Authenticator().configurePlain({ passwords: null! }),
    (error: Error) => error instanceof TypeError,
  );
});

zapTest(
  "too many checks at once: later ones are told to come back",
  async ({ authenticator, client }) => {
    const open: (() => void)[] = [];
    authenticator.configurePlain({
      check: () => new Promise((resolve) => open.push(() => resolve(true))),
    });
    for (let i = 0; i < 3; i++) await client.send(...plain("d", `${i}`, "x"));
    assert.equal((await client.answer()).slice(2, 4), [
      "300",
      "Too many checks at once",
    ]);
    for (const finish of open) finish();
    assert.equal(
      [(await client.answer())[4], (await client.answer())[4]].sort(),
      ["0", "1"],
    );
  },
  { maxPending: 2 },
);

zapTest(
  "requests that are none get 400, or nothing if nobody can be answered",
  async ({ client }) => {
    const status = async (...frames: (string | Uint8Array)[]) =>
      (await client.ask(...frames)).slice(2, 4);
    assert.equal(await status("2.0", "7", "d", "a", "r", "NULL"), [
      "400",
      "Invalid version",
    ]);
    assert.equal(await status("1.0", "7"), ["400", "Not enough frames"]);
    assert.equal(await status("1.0", "7", "d", "a", "r"), [
      "400",
      "Not enough frames",
    ]);
    assert.equal(await status(...head("d"), "NULL", "x"), [
      "400",
      "Invalid credentials",
    ]);
    assert.equal(await status(...head("d"), "PLAIN", "x"), [
      "400",
      "Invalid credentials",
    ]);
    assert.equal(await status(...head("d"), "CURVE", "x"), [
      "400",
      "Invalid credentials",
    ]);
    assert.equal(await status(...head("d"), "GSSAPI", "x"), [
      "400",
      "Security mechanism not supported",
    ]);
    assert.equal(await status(...head("d"), "PLAIN", Uint8Array.of(255), "x"), [
      "400",
      "Not UTF-8",
    ]);
    await client.send("1.0");
    assert.is((await client.ask(...head("d"), "NULL"))[2], "200");
  },
);

zapTest("configurations that make no sense", async ({ authenticator }) => {
  const plain = [
    {},
    { passwords: {}, check: () => true },
    { passwords: "x" },
    { check: 1 },
    { passwords: {}, domain: 7 },
  ];
  for (const options of plain) {
    assert.throws(
      () => authenticator.configurePlain(options as never),
      (error: Error) => error instanceof TypeError,
    );
  }
  const curve = [
    {},
    { location: ".", keys: [] },
    { keys: ["short"] },
    { keys: [7] },
    { check: "x" },
  ];
  for (const options of curve) {
    const error = await failure(
      () => authenticator.configureCurve(options as never),
      "configuring it",
    );
    assert.instance(error, TypeError);
  }
});

zapTest(
  "a listener that throws is told of as an error",
  async ({ authenticator, client, log }) => {
    authenticator.on("decision", () => {
      throw new Error("of the listener");
    });
    assert.is((await client.ask(...head("d"), "NULL"))[2], "200");
    assert.is((await client.ask(...head("d"), "NULL", "x"))[2], "400");
    await log.next();
    await log.next();
    assert.equal(
      log.errors.map(String),
      Array(2).fill("Error: of the listener"),
    );
  },
);

test.run();
