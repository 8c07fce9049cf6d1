/**
 * Hostile peers that speak CURVE: they have keys, do the handshake as they should or nearly
 * so, and then say with encryption what others say without.
 */
import { Buffer } from "node:buffer";
import type { Socket as Tcp } from "node:net";
import { curvePublicKey } from "zeromq-wasm";
import { z85Encode } from "zeromq-wasm/auth";
import { seal, shared, unseal, z85 } from "../patches/box.ts";
import {
  bytes,
  command,
  greeting,
  GREETING_SIZE,
  upgrade,
  wsFrame,
} from "../patches/zmtp.ts";
import type { Random } from "../support/random.ts";
import { lying, metadata, plaintexts, uint64 } from "./sessions.ts";

type Keys = { publicKey: string; secretKey: string };

/** What a hostile peer has found out, or was given. */
export interface Knowledge {
  /** Whether it plays the server. */
  asServer: boolean;
  /** Of the server: both keys for who plays it, one for who plays the client. */
  server: Keys;
  client: Keys;
  /** The type of socket that the other wants. */
  wanted: string;
  /** Whether it speaks WebSocket, as a client. */
  ws?: boolean;
}

/** A connection, cut into frames of ZMTP or WebSocket. */
class Wire {
  #input: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  #ended = false;

  constructor(readonly socket: Tcp, readonly ws: boolean) {
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("data", (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk]);
      this.#wake();
    }).on("end", end).on("close", end);
  }

  send(frame: Buffer): void {
    if (!this.socket.destroyed) this.socket.write(frame);
  }

  /** A frame of ZMTP, as such or in one of WebSocket; long ones have a long header. */
  say(frame: Buffer): void {
    if (!this.ws) return this.send(frame);
    const long = frame[0]! & 2;
    const flags = (frame[0]! & 1) | (frame[0]! & 4) >> 1;
    const body = bytes([flags], frame.subarray(long ? 9 : 2));
    this.send(
      body.length < 126 ? wsFrame(2, body) : bytes(
        [0x82, 0xfe, body.length >> 8 & 255, body.length & 255, 0, 0, 0, 0],
        body,
      ),
    );
  }

  /** The next bytes; undefined if there will be none. */
  async read(size: number): Promise<Buffer | undefined> {
    while (this.#input.length < size) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const out = this.#input.subarray(0, size);
    this.#input = this.#input.subarray(size);
    return out;
  }

  async skipTo(text: string): Promise<boolean> {
    let at: number;
    while ((at = this.#input.indexOf(text)) === -1) {
      if (this.#ended) return false;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    this.#input = this.#input.subarray(at + text.length);
    return true;
  }

  /** The body of the next frame. */
  async frame(): Promise<Buffer | undefined> {
    const head = await this.read(2);
    if (!head) return undefined;
    if (!this.ws) {
      if (!(head[0]! & 2)) return await this.read(head[1]!);
      const rest = await this.read(7);
      return rest && await this.read(rest.readUInt32BE(3));
    }
    const long = head[1] === 126 && await this.read(2);
    const body = await this.read(long ? long.readUInt16BE() : head[1]!);
    return body?.subarray(1);
  }
}

function keyPair(random: Random): Keys {
  const secretKey = z85Encode(random.bytes(32));
  return { secretKey, publicKey: curvePublicKey(secretKey) };
}

/** Nearly always the bytes; otherwise something else. */
function nearly(random: Random, given: Buffer): Buffer {
  if (random.chance(0.97)) return given;
  const out = Buffer.from(given);
  return random.pick([
    () => {
      if (out.length > 0) out[random.below(out.length)]! ^= 1;
      return out;
    },
    () => out.subarray(0, random.below(out.length + 1)),
    () => bytes(out, random.bytes(random.size(300))),
    () => Buffer.alloc(out.length),
    () => lying(random),
  ])();
}

/** Does the handshake; the key and the nonces' prefix for messages, if it got so far. */
async function shake(
  random: Random,
  wire: Wire,
  { asServer, server, client, wanted }: Knowledge,
): Promise<[Buffer, string] | undefined> {
  const own = keyPair(random);
  const [secret, point] = [z85(own.secretKey), z85(own.publicKey)];
  const S = z85(server.publicKey), C = z85(client.publicKey);
  const one = uint64(1n), two = uint64(2n);
  const long = random.bytes(16);
  const sealed = (text: Buffer, nonce: Buffer, key: Buffer) =>
    nearly(random, seal(nearly(random, text), nonce, key));
  const say = (name: string, ...parts: Buffer[]) =>
    wire.say(nearly(random, command(name, ...parts)));
  const theirs = async (size: number) => {
    const body = await wire.frame();
    return body && body.length >= size ? body : undefined;
  };

  if (asServer) {
    const hello = await theirs(200);
    if (!hello) return undefined;
    const theirPoint = hello.subarray(80, 112);
    say(
      "WELCOME",
      long,
      sealed(
        bytes(point, random.bytes(96)),
        bytes("WELCOME-", long),
        shared(z85(server.secretKey), theirPoint),
      ),
    );
    if (!await theirs(257)) return undefined;
    const key = shared(secret, theirPoint);
    const nonce = bytes("CurveZMQREADY---", one);
    say("READY", one, sealed(metadata(random, wanted), nonce, key));
    return [key, "CurveZMQMESSAGES"];
  }

  const toServer = shared(secret, S);
  const hello = seal(
    Buffer.alloc(64),
    bytes("CurveZMQHELLO---", one),
    toServer,
  );
  say("HELLO", bytes([1, 0]), Buffer.alloc(72), point, one, hello);
  const welcome = await theirs(168);
  if (!welcome) return undefined;
  const opened = unseal(
    welcome.subarray(24),
    bytes("WELCOME-", welcome.subarray(8, 24)),
    toServer,
  );
  const theirPoint = opened.subarray(0, 32), cookie = opened.subarray(32);
  const vouch = sealed(
    bytes(point, S),
    bytes("VOUCH---", long),
    shared(z85(client.secretKey), theirPoint),
  );
  const key = shared(secret, theirPoint);
  say(
    "INITIATE",
    nearly(random, cookie),
    two,
    sealed(
      bytes(C, long, vouch, metadata(random, wanted)),
      bytes("CurveZMQINITIATE", two),
      key,
    ),
  );
  return await wire.frame() && [key, "CurveZMQMESSAGEC"];
}

/** Does nearly all a CURVE peer does, until it has said everything or is cut off. */
export async function curveAttack(
  random: Random,
  socket: Tcp,
  knowledge: Knowledge,
): Promise<void> {
  const wire = new Wire(socket, knowledge.ws ?? false);
  if (wire.ws) {
    wire.send(upgrade("ZWS2.0/CURVE"));
    if (!await wire.skipTo("\r\n\r\n")) return;
  } else {
    wire.send(greeting("CURVE", knowledge.asServer));
    if (!await wire.read(GREETING_SIZE)) return;
  }
  let session: [Buffer, string] | undefined;
  try {
    session = await shake(random, wire, knowledge);
  } catch {
    // The other's key was none that a secret can be made with.
  }
  if (!session) return;
  const [key, prefix] = session;
  let nonce = 3n;
  for (const text of plaintexts(random)) {
    // A nonce must grow; this one is near its end, or comes again.
    if (random.chance(0.01)) nonce = random.pick([0n, 3n, 2n ** 64n - 1n]);
    const number = uint64(nonce++ % 2n ** 64n);
    const box = seal(text, bytes(prefix, number), key);
    const message = bytes("\x07MESSAGE", number, nearly(random, box));
    const flags = random.pick([0, 0, 0, 0, 0, 0, 1, 4]);
    const header = message.length < 256
      ? [flags, message.length]
      : bytes([flags | 2], uint64(BigInt(message.length)));
    wire.say(nearly(random, bytes(header, message)));
  }
}
