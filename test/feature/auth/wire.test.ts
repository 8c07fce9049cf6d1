/** What somebody on the network can see and do: recorded, replayed and changed sessions. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, curveKeyPair, Pull, Push } from "zeromq-wasm";
import { until, within } from "../../support/deadline.ts";
import { event } from "./tools.ts";

const test = suite("wire");

type Change = (bytes: Buffer, fromClient: boolean) => Buffer;

/** Somebody between client and server, who records all and may change it. */
class Middle {
  readonly up: Buffer[] = [];
  readonly down: Buffer[] = [];
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(port: number, change: Change = (bytes) => bytes) {
    this.#server = createServer((client) => {
      const server = connect(port, "127.0.0.1");
      const pass = (from: Socket, to: Socket, kept: Buffer[], up: boolean) => {
        this.#open.add(from);
        from.on("data", (bytes: Buffer) => {
          kept.push(bytes);
          to.write(change(bytes, up));
        });
        from.on("error", () => {});
        from.on("close", () => {
          this.#open.delete(from);
          to.destroy();
        });
      };
      pass(client, server, this.up, true);
      pass(server, client, this.down, false);
    });
  }
  async listen(): Promise<string> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return `tcp://127.0.0.1:${
      (this.#server.address() as { port: number }).port
    }`;
  }
  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}

const keys = { server: curveKeyPair(), client: curveKeyPair() };
const SERVER = { curveServer: true, curveSecretKey: keys.server.secretKey };
const CLIENT = {
  curveServerKey: keys.server.publicKey,
  curvePublicKey: keys.client.publicKey,
  curveSecretKey: keys.client.secretKey,
};
const port = (socket: Pull) => Number(socket.lastEndpoint!.split(":").at(-1));

async function serve(options: Record<string, unknown>): Promise<Pull> {
  const server = new Pull({ context: new Context(), linger: 0, ...options });
  await server.bind("tcp://127.0.0.1:*");
  return server;
}

function push(options: Record<string, unknown>, to: string): Push {
  const client = new Push({ context: new Context(), linger: 0, ...options });
  client.connect(to);
  return client;
}

/** That nothing came in; asked when the server is done with whoever tried. */
function nothing(server: Pull): void {
  assert.is(server.readable, false, "a message was accepted");
}

const SECRET = "the plans are in the second drawer";

for (
  const [name, options, hidden] of [
    ["NULL", [{}, {}], false],
    ["CURVE", [SERVER, CLIENT], true],
  ] as const
) {
  test(`a recorded session of ${name} ${hidden ? "hides" : "shows"} what was said`, async () => {
    const server = await serve(options[0]);
    const middle = new Middle(port(server));
    const client = push(options[1], await middle.listen());
    for (let i = 0; i < 20; i++) {
      await client.send([SECRET, `${i}`, SECRET.repeat(i * 50)]);
      assert.is(String((await within(server.receive(), "it"))[0]), SECRET);
    }
    const all = Buffer.concat([...middle.up, ...middle.down]);
    assert.ok(all.length > SECRET.length * 50 * 190);
    assert.is(all.includes("second"), !hidden);
    assert.is(all.includes("drawer"), !hidden);
    assert.ok(all.includes(name));
    // The client's own key is hidden too: nobody learns who it is.
    for (const { publicKey, secretKey } of Object.values(keys)) {
      assert.not.ok(all.includes(publicKey) || all.includes(secretKey));
    }
    client.close();
    server.close();
    middle.close();
  });
}

test("a recorded session, replayed, is refused", async () => {
  const server = await serve(SERVER);
  const middle = new Middle(port(server));
  const client = push(CLIENT, await middle.listen());
  await client.send(SECRET);
  await within(server.receive(), "the message");
  const recorded = Buffer.concat(middle.up);
  client.close();
  middle.close();
  await until(() => server.context.resources.connections === 0, "the end");

  const error = event(server, "handshake:error:protocol");
  const attacker = connect(port(server), "127.0.0.1");
  const gone = once(attacker, "close");
  let received = 0;
  attacker.on("error", () => {}).on("data", ({ length }) => received += length);
  // Greeting and HELLO; the rest when the server has said what the recorded one said.
  const hello = 64 + 2 + 200, welcome = 64 + 2 + 168;
  attacker.write(recorded.subarray(0, hello));
  await until(() => received === welcome, "the server's WELCOME");
  attacker.write(recorded.subarray(hello));
  // The server has another short-term key, which opens neither cookie nor INITIATE.
  assert.is((await error).error.code, "ERR_ZMTP_CRYPTOGRAPHIC");
  await within(gone, "the end of the attacker's connection");
  nothing(server);
  server.close();
});

for (
  const [what, start] of [
    ["a message", 0x07],
    ["the handshake", 0x04],
  ] as const
) {
  test(`${what} changed on the way is refused, with the reason`, async () => {
    const server = await serve(SERVER);
    let done = false;
    const middle = new Middle(port(server), (bytes, up) => {
      // A frame: flags, length, then for a command its name with its length.
      const marker = start === 0x07 ? "\x07MESSAGE" : "\x08INITIATE";
      const at = bytes.indexOf(marker);
      if (!up || done || at < 0) return bytes;
      done = true;
      const changed = Buffer.from(bytes);
      changed[bytes.length - 1]! ^= 1;
      return changed;
    });
    const error = event(server, "handshake:error:protocol");
    const client = push(CLIENT, await middle.listen());
    client.send(SECRET).catch(() => {});
    assert.is((await error).error.code, "ERR_ZMTP_CRYPTOGRAPHIC");
    client.close();
    server.close();
    middle.close();
  });
}

/** The reason at the end that finds the fault first; it may hang up before the other can. */
function firstReason(server: Pull, client: Push): Promise<string> {
  const codes = [server, client].map(async (socket) =>
    (await event(socket, "handshake:error:protocol")).error.code
  );
  return Promise.any(codes);
}

test("a mechanism changed on the way, both ways, is refused", async () => {
  for (const weaker of ["NULL", "PLAIN"]) {
    const server = await serve(SERVER);
    const middle = new Middle(port(server), (bytes) => {
      const at = bytes.indexOf("CURVE");
      if (at < 0) return bytes;
      const changed = Buffer.from(bytes);
      changed.fill(0, at, at + 20).write(weaker, at);
      return changed;
    });
    const to = await middle.listen();
    const client = new Push({ context: new Context(), linger: 0, ...CLIENT });
    const reason = firstReason(server, client);
    client.connect(to);
    client.send(SECRET).catch(() => {});
    assert.is(await reason, "ERR_ZMTP_MECHANISM_MISMATCH", weaker);
    nothing(server);
    const all = Buffer.concat([...middle.up, ...middle.down]);
    assert.not.ok(all.includes("drawer"));
    client.close();
    server.close();
    middle.close();
  }
});

for (const mechanism of ["NULL", "PLAIN"]) {
  test(`a peer that insists on ${mechanism} is refused by a CURVE server`, async () => {
    const server = await serve(SERVER);
    const error = event(server, "handshake:error:protocol");
    const attacker = connect(port(server), "127.0.0.1");
    const gone = once(attacker, "close");
    attacker.on("error", () => {}).resume();
    const greeting = Buffer.alloc(64);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3]);
    greeting.write(mechanism, 12);
    attacker.write(greeting);
    // READY, and a message, as if it had been let in.
    attacker.write(
      "\x04\x19\x05READY\x0bSocket-Type\0\0\0\x04PUSH\0\x05hello",
    );
    assert.is((await error).error.code, "ERR_ZMTP_MECHANISM_MISMATCH");
    await within(gone, "the end of the attacker's connection");
    nothing(server);
    server.close();
  });
}

for (
  const [what, options, code] of [
    ["without security", {}, "ERR_ZMTP_MECHANISM_MISMATCH"],
    [
      "with PLAIN",
      { plainUsername: "me", plainPassword: "x" },
      "ERR_ZMTP_MECHANISM_MISMATCH",
    ],
    [
      "that has another server's key",
      { ...CLIENT, curveServerKey: keys.client.publicKey },
      "ERR_ZMTP_CRYPTOGRAPHIC",
    ],
    [
      "whose public key is somebody else's",
      { ...CLIENT, curvePublicKey: keys.server.publicKey },
      "ERR_ZMTP_CRYPTOGRAPHIC",
    ],
  ] as const
) {
  test(`a client ${what} is refused by a CURVE server, with the reason`, async () => {
    const server = await serve(SERVER);
    const client = new Push({ context: new Context(), linger: 0, ...options });
    const reason = firstReason(server, client);
    const over = event(server, "disconnect");
    client.connect(server.lastEndpoint!);
    client.send(SECRET).catch(() => {});
    assert.is(await reason, code);
    await over;
    nothing(server);
    client.close();
    server.close();
  });
}

test("a CURVE client tells a server without CURVE nothing", async () => {
  const server = await serve({});
  const middle = new Middle(port(server));
  const to = await middle.listen();
  const client = new Push({ context: new Context(), linger: 0, ...CLIENT });
  const reason = firstReason(server, client);
  client.connect(to);
  client.send(SECRET).catch(() => {});
  assert.is(await reason, "ERR_ZMTP_MECHANISM_MISMATCH");
  nothing(server);
  assert.not.ok(Buffer.concat(middle.up).includes("drawer"));
  client.close();
  server.close();
  middle.close();
});

test.run();
