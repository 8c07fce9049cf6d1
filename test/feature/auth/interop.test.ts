/** With pyzmq on native libzmq: certificates, and each side's authenticator before the other. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { curveKeyPair, Dealer, Pull } from "zeromq-wasm";
import {
  Certificate,
  createCertificates,
  loadCertificates,
} from "zeromq-wasm/auth";
import { within } from "../../support/deadline.ts";
import { Peer, stopPeers } from "../../support/peer.ts";
import { interopSuite, python } from "../../support/python.ts";
import { event, withAuthenticator } from "./tools.ts";

const test = interopSuite("auth with pyzmq");

const folder = fs.mkdtempSync(join(tmpdir(), "auth-interop-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

/** Runs Python with arguments, and reads the JSON it prints. */
function run<T>(code: string, ...args: string[]): T {
  const { status, stdout, stderr } = spawnSync(python!, [
    "-c",
    `import json, sys, zmq, zmq.auth\n${code}`,
    ...args,
  ], { encoding: "utf8" });
  assert.is(status, 0, stderr);
  return JSON.parse(stdout) as T;
}

test("pyzmq writes certificates, we read them", async () => {
  const [open, secret] = run<[string, string]>(
    `print(json.dumps(zmq.auth.create_certificates(sys.argv[1], "theirs", {"email": "a@b", "n": "1"})))`,
    folder,
  );
  const [publicKey, secretKey] = run<[string, string]>(
    `print(json.dumps([k.decode() for k in zmq.auth.load_certificate(sys.argv[1])]))`,
    secret,
  );
  assert.is((await Certificate.load(open)).publicKey, publicKey);
  // pyzmq leaves the mode to the umask.
  fs.chmodSync(secret, 0o600);
  const certificate = await Certificate.load(secret);
  assert.is(certificate.publicKey, publicKey);
  assert.is(certificate.secretKey, secretKey);
  assert.equal(certificate.metadata, { email: "a@b", n: "1" });
});

test("we write certificates, pyzmq reads them", async () => {
  const place = join(folder, "ours");
  fs.mkdirSync(place);
  const [open, secret] = await createCertificates(place, "ours", { n: "1" });
  const { publicKey, secretKey } = await Certificate.load(secret);
  const read = run<unknown>(
    `load = lambda f: [k and k.decode() for k in zmq.auth.load_certificate(f)]
print(json.dumps([load(sys.argv[1]), load(sys.argv[2]),
  [k.decode() for k in zmq.auth.load_certificates(sys.argv[3])]]))`,
    open,
    secret,
    place,
  );
  assert.equal(read, [[publicKey, null], [publicKey, secretKey], [publicKey]]);
  assert.equal([...(await loadCertificates(place)).keys()], [publicKey]);
});

test("our authenticator before pyzmq's clients: CURVE, by a folder", () =>
  withAuthenticator(async ({ authenticator, context, log }) => {
    const peer = await Peer.start();
    const place = join(folder, "clients");
    fs.mkdirSync(place);
    run(
      `print(json.dumps(zmq.auth.create_certificates(sys.argv[1], "client")))`,
      place,
    );
    const known = await Certificate.load(join(place, "client.key_secret"), {
      othersMayRead: true,
    });
    await authenticator.configureCurve({ domain: "jobs", location: place });
    authenticator.allow("127.0.0.0/8");
    const keys = curveKeyPair();
    const server = new Pull({
      context,
      curveServer: true,
      curveSecretKey: keys.secretKey,
      zapDomain: "jobs",
      zapEnforceDomain: true,
    });
    await server.bind("tcp://127.0.0.1:*");

    const stranger = await peer.curveKeyPair();
    const refused = await peer.socket("PUSH", {
      CURVE_SERVERKEY: keys.publicKey,
      CURVE_PUBLICKEY: stranger.publicKey,
      CURVE_SECRETKEY: stranger.secretKey,
    });
    await refused.monitor();
    const here = event(server, "handshake:error:auth");
    await refused.connect(server.lastEndpoint!);
    assert.is(await refused.event("HANDSHAKE_FAILED_AUTH"), 400);
    assert.is((await here).error.status, 400);
    const { time, ...decision } = await log.next();
    assert.instance(time, Date);
    assert.equal(decision, {
      allowed: false,
      status: 400,
      reason: "Unknown key",
      mechanism: "CURVE",
      domain: "jobs",
      address: "127.0.0.1",
      userId: stranger.publicKey,
    });
    await refused.close();

    const admitted = await peer.socket("PUSH", {
      CURVE_SERVERKEY: keys.publicKey,
      CURVE_PUBLICKEY: known.publicKey,
      CURVE_SECRETKEY: known.secretKey!,
    });
    await admitted.connect(server.lastEndpoint!);
    await admitted.send(["work"]);
    assert.is(String(await within(server.receive(), "work")), "work");
    server.close();
    await peer.stop();
  }));

test("our authenticator before pyzmq's clients: PLAIN, and NULL with a domain", () =>
  withAuthenticator(async ({ authenticator, context, log }) => {
    const peer = await Peer.start();
    authenticator.configurePlain({
      domain: "jobs",
      passwords: { me: "right" },
    });
    const server = new Pull({ context, plainServer: true, zapDomain: "jobs" });
    await server.bind("tcp://127.0.0.1:*");
    const client = async (password: string) => {
      const socket = await peer.socket("PUSH", {
        PLAIN_USERNAME: "me",
        PLAIN_PASSWORD: password,
      });
      await socket.monitor();
      await socket.connect(server.lastEndpoint!);
      return socket;
    };
    const wrong = await client("wrong");
    assert.is(await wrong.event("HANDSHAKE_FAILED_AUTH"), 400);
    assert.is((await log.next()).reason, "Invalid password");
    await wrong.close();
    const right = await client("right");
    await right.send(["work"]);
    assert.is(String(await within(server.receive(), "work")), "work");

    const open = new Pull({ context, zapDomain: "open" });
    await open.bind("tcp://127.0.0.1:*");
    const anyone = await peer.socket("PUSH");
    await anyone.connect(open.lastEndpoint!);
    await anyone.send(["anything"]);
    assert.is(String(await within(open.receive(), "anything")), "anything");
    server.close();
    open.close();
    await peer.stop();
  }));

// PLAIN, and who is refused and why there: test/interop/zap.test.ts
test("pyzmq's authenticator before our clients with certificates", async () => {
  const peer = await Peer.start();
  const client = Certificate.create();
  const server = await peer.curveKeyPair();
  await peer.authenticate({ me: "right" }, [client.publicKey]);
  const socket = await peer.socket("DEALER", {
    CURVE_SERVER: 1,
    CURVE_SECRETKEY: server.secretKey,
    ZAP_DOMAIN: "*",
  });
  const endpoint = await socket.bind("tcp://127.0.0.1:*");
  const connect = (certificate: Certificate) => {
    const dealer = new Dealer({ curveServerKey: server.publicKey, linger: 0 });
    certificate.apply(dealer);
    const met = event(dealer, "handshake", "handshake:error:auth");
    dealer.connect(endpoint);
    return { dealer, met };
  };
  const stranger = connect(Certificate.create());
  const refused = await stranger.met;
  assert.is(refused.type, "handshake:error:auth");
  assert.is("error" in refused && refused.error.status, 400);
  stranger.dealer.close();

  const { dealer, met } = connect(client);
  assert.is((await met).type, "handshake");
  await dealer.send("hello");
  assert.is(String(await socket.receive()), "hello");
  dealer.close();

  await peer.stop();
});

test.after(stopPeers);
test.run();
