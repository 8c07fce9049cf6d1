/** Servers that a CURVE client should not have trusted (patches 0032, 0033); memory (0073). */
import * as assert from "uvu/assert";
import process from "node:process";
import { suite } from "uvu";
import { Context, curveKeyPair, Dealer, Pull, Push } from "zeromq-wasm";
import { seal, shared, z85 } from "./box.ts";
import { Cleanup, Listener, Monitor, type Peer, within } from "./hostile.ts";
import { bytes, command, greeting, GREETING_SIZE, property } from "./zmtp.ts";

const UNEXPECTED_COMMAND = "ERR_ZMTP_UNEXPECTED_COMMAND";
const CRYPTOGRAPHIC = "ERR_ZMTP_CRYPTOGRAPHIC";
const test = suite("curve");

/** A client meets a server that answers its HELLO with what `answer` makes. */
async function meet(
  answer: (hello: Buffer, serverSecret: Buffer) => Buffer,
  failure: string,
): Promise<void> {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const server = curveKeyPair();
    const own = curveKeyPair();
    const dealer = cleanup.add(
      new Dealer({
        context,
        curveServerKey: server.publicKey,
        curvePublicKey: own.publicKey,
        curveSecretKey: own.secretKey,
      }),
    );
    const monitor = new Monitor(dealer);
    const listener = cleanup.add(await Listener.start());
    dealer.connect(`tcp://${listener.address}`);
    const hostile: Peer = await listener.accept();
    await hostile.send(greeting("CURVE", true));
    await hostile.read(GREETING_SIZE + 2);
    const hello = await hostile.read(200);
    await hostile.send(answer(hello, z85(server.secretKey)));
    const { error } = await monitor.until("handshake:error:protocol");
    assert.is(error.code, failure);
    assert.not(monitor.seen.includes("handshake"));
    assert.is((await hostile.ended()).length, 0);
    // Not a word to that one, and business as usual with the real one.
    dealer.disconnect(`tcp://${listener.address}`);
    const honest = cleanup.add(
      new Dealer({
        context: new Context({ blocky: false }),
        curveServer: true,
        curveSecretKey: server.secretKey,
      }),
    );
    await honest.bind("tcp://127.0.0.1:*");
    dealer.connect(honest.lastEndpoint!);
    await dealer.send("for honest ears");
    const [text] = await within(honest.receive(), "message");
    assert.is(String(text), "for honest ears");
  } finally {
    cleanup.close();
  }
}

test("READY comes instead of WELCOME, made with a key of zeros", () =>
  meet((_hello) => {
    const nonce = bytes([0, 0, 0, 0, 0, 0, 0, 1]);
    const box = seal(
      property("Socket-Type", "ROUTER"),
      bytes("CurveZMQREADY---", nonce),
      Buffer.alloc(32),
    );
    return command("READY", nonce, box);
  }, UNEXPECTED_COMMAND));

test("WELCOME has a short-term key that no secret can be made with", () =>
  meet((hello, serverSecret) => {
    // After name, version and padding.
    const clientKey = hello.subarray(80, 112);
    const nonce = bytes("n".repeat(16));
    const box = seal(
      Buffer.alloc(128),
      bytes("WELCOME-", nonce),
      shared(serverSecret, clientKey),
    );
    return command("WELCOME", nonce, box);
  }, CRYPTOGRAPHIC));

test("a message takes its size twice while it is encrypted, not three times", async () => {
  const size = 16 * 2 ** 20;
  const cleanup = new Cleanup();
  try {
    const [server, own] = [curveKeyPair(), curveKeyPair()];
    const [here, there] = [new Context(), new Context()];
    const pull = cleanup.add(
      new Pull({
        context: there,
        curveServer: true,
        curveSecretKey: server.secretKey,
      }),
    );
    await pull.bind("tcp://127.0.0.1:*");
    const push = cleanup.add(
      new Push({
        context: here,
        curveServerKey: server.publicKey,
        curvePublicKey: own.publicKey,
        curveSecretKey: own.secretKey,
      }),
    );
    push.connect(pull.lastEndpoint!);
    const sent = Buffer.alloc(size, "not all the same");
    await push.send(sent);
    const [message] = await within(pull.receive(), "message");
    assert.ok(sent.equals(message!));
    const { memory } = here.resources;
    // Sanitizers have much memory of their own.
    if (process.env["ZMQ_SANITIZED"]) return;
    assert.ok(memory < 2.75 * size, `${memory} bytes`);
  } finally {
    cleanup.close();
  }
});

test.run();
