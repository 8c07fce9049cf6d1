/**
 * One view of a socket of ours and of one of native libzmq, so that a test of two
 * ends runs with either at either end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import type { CurveKeys, Frame, Peer, PeerSocket } from "./peer.ts";

const TYPES = {
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
  PUSH: zmq.Push,
  PULL: zmq.Pull,
  PAIR: zmq.Pair,
  STREAM: zmq.Stream,
};

export type TypeName = keyof typeof TYPES;

/** Every socket type of ours at once. */
type AnySocket = zmq.Socket & zmq.Writable & zmq.Readable & {
  subscribe(prefix: string): void;
  unsubscribe(prefix: string): void;
  connect(address: string, options?: { routingId?: string }): void;
};

export interface End {
  /** Whether it is ours. */
  readonly ours: boolean;
  /** Says the endpoint with wildcards resolved. */
  bind(address: string): Promise<string>;
  /** With a name, a ROUTER knows the peer by it at once. */
  connect(address: string, peerName?: string): Promise<void>;
  send(frames: Frame[]): Promise<void>;
  receive(): Promise<Buffer[]>;
  /** SUB and XSUB, each in its way. */
  subscribe(prefix: string, on?: boolean): Promise<void>;
  close(): Promise<void>;
}

export class Ours implements End {
  readonly ours = true;
  readonly socket: AnySocket;

  constructor(readonly type: TypeName, options: Record<string, unknown> = {}) {
    const Type = TYPES[type] as new (options: unknown) => unknown;
    this.socket = new Type({ linger: 0, ...options }) as AnySocket;
  }
  async bind(address: string) {
    await this.socket.bind(address);
    return this.socket.lastEndpoint!;
  }
  // deno-lint-ignore require-await
  async connect(address: string, peerName?: string) {
    if (peerName === undefined) this.socket.connect(address);
    else this.socket.connect(address, { routingId: peerName });
  }
  send(frames: Frame[]) {
    return this.socket.send(frames);
  }
  async receive() {
    return await this.socket.receive() as Buffer[];
  }
  async subscribe(prefix: string, on = true) {
    if (this.type === "XSUB") await this.send([(on ? "\x01" : "\0") + prefix]);
    else if (on) this.socket.subscribe(prefix);
    else this.socket.unsubscribe(prefix);
  }
  // deno-lint-ignore require-await
  async close() {
    this.socket.close();
  }
}

export class Theirs implements End {
  readonly ours = false;

  private constructor(readonly type: TypeName, readonly socket: PeerSocket) {}

  static async create(
    peer: Peer,
    type: TypeName,
    options: Record<string, string | number> = {},
  ) {
    return new Theirs(type, await peer.socket(type, options));
  }
  bind(address: string) {
    return this.socket.bind(address);
  }
  async connect(address: string, peerName?: string) {
    if (peerName !== undefined) {
      await this.socket.set("CONNECT_ROUTING_ID", peerName);
    }
    await this.socket.connect(address);
  }
  send(frames: Frame[]) {
    return this.socket.send(frames);
  }
  receive() {
    return this.socket.receive();
  }
  async subscribe(prefix: string, on = true) {
    if (this.type === "XSUB") await this.send([(on ? "\x01" : "\0") + prefix]);
    else await this.socket.set(on ? "SUBSCRIBE" : "UNSUBSCRIBE", prefix);
  }
  close() {
    return this.socket.close();
  }
}

// --- security

export type Mechanism = "NULL" | "PLAIN" | "CURVE";

/** Keys of a server and of a client, each made by the side that uses it. */
export type Keys = { server: CurveKeys; client: CurveKeys };

/** Options of ours for a mechanism. */
export function ourSecurity(
  mechanism: Mechanism,
  server: boolean,
  keys: Keys,
): Record<string, unknown> {
  if (mechanism === "NULL") return {};
  if (mechanism === "PLAIN") {
    return server
      ? { plainServer: true }
      : { plainUsername: "user", plainPassword: "password" };
  }
  if (server) {
    return { curveServer: true, curveSecretKey: keys.server.secretKey };
  }
  return {
    curveServerKey: keys.server.publicKey,
    curvePublicKey: keys.client.publicKey,
    curveSecretKey: keys.client.secretKey,
  };
}

/** The same for pyzmq. */
export function theirSecurity(
  mechanism: Mechanism,
  server: boolean,
  keys: Keys,
): Record<string, string | number> {
  const found: Record<string, string | number> = {};
  const options = ourSecurity(mechanism, server, keys);
  for (const [name, value] of Object.entries(options)) {
    const theirs = name.replace(/[A-Z]/g, "_$&").toUpperCase()
      .replace("CURVE_PUBLIC_KEY", "CURVE_PUBLICKEY")
      .replace("CURVE_SECRET_KEY", "CURVE_SECRETKEY")
      .replace("CURVE_SERVER_KEY", "CURVE_SERVERKEY");
    found[theirs] = value === true ? 1 : value as string;
  }
  return found;
}

// --- small things

let directory: string | undefined;
let paths = 0;

/** A file-system path nobody uses, in a directory that ends with the process. */
export function freshPath(): string {
  if (directory === undefined) {
    const made = directory = mkdtempSync(join(tmpdir(), "zmq-interop-"));
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
  }
  return join(directory, `socket-${++paths}`);
}

/** Where to bind to anything of a transport. */
export function anywhere(transport: "tcp" | "ipc"): string {
  return transport === "tcp" ? "tcp://127.0.0.1:*" : `ipc://${freshPath()}`;
}

/** Compares a message with text; bytes are shown as latin1. */
export function same(message: Uint8Array[], expected: string[], what: string) {
  const shown = message.map((frame) => (frame as Buffer).toString("latin1"));
  assert.equal(shown, expected, what);
}
