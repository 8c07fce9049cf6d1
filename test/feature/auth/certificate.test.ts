import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { inspect } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { curvePublicKey } from "zeromq-wasm";
import {
  Certificate,
  CertificateError,
  createCertificates,
  loadCertificates,
} from "zeromq-wasm/auth";
import { failure } from "../../support/deadline.ts";

const test = suite("certificates");

const PUBLIC = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const SECRET = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
const folder = fs.mkdtempSync(join(tmpdir(), "certificates-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
const mode = (path: string) => fs.statSync(path).mode & 0o777;
const bytes = (text: string) => new TextEncoder().encode(text);

/** As CZMQ 4 writes it (zcert_save). */
const CZMQ = `#   ****  Generated on 2026-01-02 03:04:05 by CZMQ  ****
#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

metadata
    email = "sensor@example.org"
    location = "roof, north"
curve
    public-key = "${PUBLIC}"
    secret-key = "${SECRET}"
`;

test("its class has the name it is imported by", () => {
  assert.is(Certificate.name, "Certificate");
});

test("saved and loaded again", async () => {
  const made = Certificate.create({ name: "sensor 7", email: "a@b" });
  made.setMeta("quote", 'the "seventh"');
  const path = join(folder, "sensor.key");
  await made.save(path);
  assert.is(mode(path), 0o644);
  assert.is(mode(`${path}_secret`), 0o600);

  const open = await Certificate.load(path);
  assert.is(open.publicKey, made.publicKey);
  assert.is(open.secretKey, null);
  assert.not.ok(fs.readFileSync(path, "utf8").includes(made.secretKey!));
  assert.equal(open.metadata, made.metadata);

  const secret = await Certificate.load(`${path}_secret`);
  assert.is(secret.secretKey, made.secretKey);
  assert.equal(secret.metadata, made.metadata);
});

test("a secret file is 0600 also where another file was, and nothing is left over", async () => {
  const path = join(folder, "again.key");
  fs.writeFileSync(`${path}_secret`, "old", { mode: 0o666 });
  fs.chmodSync(`${path}_secret`, 0o666);
  await Certificate.create().save(path);
  assert.is(mode(`${path}_secret`), 0o600);
  assert.equal(fs.readdirSync(folder).filter((n) => n.endsWith(".part")), []);
});

test("a secret file that others can read is refused, unless one insists", async () => {
  const [, path] = await createCertificates(folder, "open");
  for (const bits of [0o640, 0o604, 0o660, 0o602]) {
    fs.chmodSync(path, bits);
    const error = await failure(() => Certificate.load(path), "loading it");
    assert.instance(error, CertificateError);
    assert.match(error.message, `mode ${bits.toString(8)}`);
  }
  const certificate = await Certificate.load(path, { othersMayRead: true });
  assert.ok(certificate.hasSecretKey);
});

test("pyzmq's names", async () => {
  const made = await createCertificates(folder, "client", { a: "1" });
  const path = join(folder, "client.key");
  assert.equal(made, [path, `${path}_secret`]);
  assert.equal((await Certificate.load(path)).metadata, { a: "1" });
});

test("CZMQ's layout is read", () => {
  const certificate = Certificate.parse(bytes(CZMQ));
  assert.is(certificate.publicKey, PUBLIC);
  assert.is(certificate.secretKey, SECRET);
  assert.equal(certificate.metadata, {
    email: "sensor@example.org",
    location: "roof, north",
  });
  const open = Certificate.parse(
    bytes(CZMQ.replace(SECRET, "0".repeat(40)).replace(/\n/g, "\r\n")),
  );
  assert.is(open.publicKey, PUBLIC);
  assert.is(open.secretKey, null);
});

test("parsing wipes the secret key from its input", () => {
  const input = bytes(CZMQ);
  Certificate.parse(input);
  assert.not.ok(new TextDecoder().decode(input).includes(SECRET.slice(0, 5)));
});

const WRONG: [what: string, text: string, says: RegExp][] = [
  ["empty", "", /no public-key/],
  ["something else", "hello\nworld", /no public-key/],
  ["a commented key", `# public-key = "${PUBLIC}"`, /no public-key/],
  ["a short key", `curve\n  public-key = "abc"`, /line 2: .* 3 characters/],
  ["no value", `public-key`, /line 1: "=" is missing/],
  ["two keys", `public-key=${PUBLIC}\npublic-key=${PUBLIC}`, /a second/],
  ["no Z85", `public-key=${PUBLIC.slice(1)}"~"`, /is not Z85|characters/],
  ["a tilde", `public-key=~${PUBLIC.slice(1)}`, /character 1 is not Z85/],
  ["too large", " ".repeat(70_000), /more than 65536/],
  [
    "keys of two pairs",
    CZMQ.replace(PUBLIC, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),
    /do not belong together/,
  ],
];
for (const [what, text, says] of WRONG) {
  test(`${what}: a clear error`, async () => {
    const path = join(folder, "wrong.key");
    fs.writeFileSync(path, text, { mode: 0o600 });
    const error = await failure(() => Certificate.load(path), "loading it");
    assert.instance(error, CertificateError);
    assert.ok(
      /too large/.test(error.message) || says.test(error.message),
      error.message,
    );
    assert.ok(error.message.startsWith(`${path}: `));
    assert.not.ok(inspect(error).includes(SECRET));
    assert.throws(() => Certificate.parse(bytes(text)), says);
  });
}

test("files that are not there, and folders", async () => {
  for (const path of [join(folder, "none.key"), folder]) {
    const error = await failure(() => Certificate.load(path), "loading it");
    assert.instance(error, CertificateError);
    assert.ok(error.message.startsWith(`${path}: `), error.message);
  }
  assert.instance(
    await failure(() => loadCertificates(join(folder, "none")), "loading it"),
    CertificateError,
  );
});

test("ten thousand damaged certificates: a certificate or a CertificateError", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  const whole = bytes(CZMQ);
  let refused = 0;
  for (let i = 0; i < 10_000; i++) {
    let text = Array.from(whole);
    for (let n = random(4); n >= 0; n--) {
      const at = random(text.length);
      const way = random(4);
      if (way === 0) text[at] = random(256);
      else if (way === 1) text.splice(at, random(60));
      else if (way === 2) text.splice(at, 0, ...text.slice(random(at + 1), at));
      else text = text.slice(0, at + 1);
    }
    try {
      const { publicKey } = Certificate.parse(Uint8Array.from(text));
      assert.is(publicKey.length, 40);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      assert.not.ok(error.message.includes(SECRET.slice(0, 8)));
      refused++;
    }
  }
  assert.ok(refused > 1000, `only ${refused} were refused`);
});

test("made of keys", () => {
  const both = new Certificate({ secretKey: SECRET });
  assert.is(both.publicKey, PUBLIC);
  assert.is(new Certificate({ publicKey: PUBLIC }).secretKey, null);
  const bad = [
    {},
    { publicKey: "short" },
    { secretKey: SECRET.slice(1) },
    { secretKey: new Uint8Array(31) },
    { publicKey: SECRET, secretKey: SECRET },
  ];
  for (const keys of bad) {
    let message = "";
    try {
      new Certificate(keys);
    } catch (error) {
      assert.instance(error, CertificateError);
      message = (error as Error).message;
    }
    assert.ok(message !== "", JSON.stringify(keys));
    assert.not.ok(message.includes(SECRET.slice(1, 9)));
  }
});

test("metadata that a file cannot hold is refused", () => {
  const certificate = Certificate.create();
  const bad = [
    ["", "x"],
    ["a b", "x"],
    ["a=b", "x"],
    ["a", "two\nlines"],
    ["a", `both " and '`],
    ["a", 7 as unknown as string],
  ] as const;
  for (const [name, value] of bad) {
    assert.throws(
      () => certificate.setMeta(name, value),
      (error: Error) => error instanceof CertificateError,
    );
  }
  // Names that objects have anyway are names like others.
  certificate.setMeta("constructor", "x");
  assert.equal(Object.keys(certificate.metadata), ["constructor"]);
});

test("printing one never shows the secret key", () => {
  const certificate = Certificate.create({ name: "x" });
  const secret = certificate.secretKey!;
  const shown = [
    inspect(certificate),
    inspect({ certificate }, { showHidden: true, getters: true, depth: 9 }),
    JSON.stringify(certificate),
    String(certificate),
    `${Object.entries(certificate)}`,
  ];
  for (const text of shown) assert.not.ok(text.includes(secret), text);
  assert.match(shown[0]!, certificate.publicKey);
});

test("destroyed: the secret key is gone, the public one stays", () => {
  const certificate = Certificate.create();
  const { publicKey, secretKey } = certificate;
  assert.is(curvePublicKey(secretKey!), publicKey);
  certificate.destroy();
  assert.is(certificate.secretKey, null);
  assert.not.ok(certificate.hasSecretKey);
  assert.is(certificate.publicKey, publicKey);
  assert.throws(
    () => certificate.apply({ curvePublicKey: null, curveSecretKey: null }),
    /no secret key/,
  );
});

test.run();
