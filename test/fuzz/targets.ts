/** The sockets that are attacked, and what it means that an honest peer is served. */
import type { Buffer } from "node:buffer";
import { connect } from "node:net";
import * as zmq from "zeromq-wasm";
import { type Context, curveKeyPair, draft, type Socket } from "zeromq-wasm";
import { freshPath, pause, within } from "../socket/tools.ts";
import type { Knowledge } from "./curve.ts";
import type { Random } from "../support/random.ts";

/** Every method that some type has. */
type Any = Socket & {
  send(message: unknown, options?: object): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  subscribe(...topics: string[]): void;
  join(...groups: string[]): void;
};
type Make = {
  new (options: Record<string, unknown>): unknown;
  prototype: object;
};

const GROUP = { group: "g" };
/** Types under attack, the honest peer's type, and who sends. */
const TYPES: [string, Make, Make, "in" | "out" | "request"][] = [
  ["Pull", zmq.Pull, zmq.Push, "in"],
  ["Push", zmq.Push, zmq.Pull, "out"],
  ["Router", zmq.Router, zmq.Dealer, "in"],
  ["Dealer", zmq.Dealer, zmq.Dealer, "in"],
  ["Reply", zmq.Reply, zmq.Request, "request"],
  ["Request", zmq.Request, zmq.Reply, "out"],
  ["Publisher", zmq.Publisher, zmq.Subscriber, "out"],
  ["Subscriber", zmq.Subscriber, zmq.Publisher, "in"],
  ["XPublisher", zmq.XPublisher, zmq.XSubscriber, "out"],
  ["XSubscriber", zmq.XSubscriber, zmq.XPublisher, "in"],
  ["Pair", zmq.Pair, zmq.Pair, "in"],
  ["Stream", zmq.Stream, zmq.Stream, "in"],
  ["Server", draft.Server, draft.Client, "in"],
  ["Client", draft.Client, draft.Server, "out"],
  ["Radio", draft.Radio, draft.Dish, "out"],
  ["Dish", draft.Dish, draft.Radio, "in"],
  ["Gather", draft.Gather, draft.Scatter, "in"],
  ["Scatter", draft.Scatter, draft.Gather, "out"],
] as unknown as [string, Make, Make, "in" | "out" | "request"][];

export const TYPE_COUNT: number = TYPES.length;

export const serverKeys = curveKeyPair();
export const clientKeys = curveKeyPair();

/** Options of both ends for a mechanism. */
const SECURITY = {
  NULL: [{}, {}],
  PLAIN: [{ plainServer: true }, {
    plainUsername: "honest",
    plainPassword: "word",
  }],
  CURVE: [{ curveServer: true, curveSecretKey: serverKeys.secretKey }, {
    curveServerKey: serverKeys.publicKey,
    curvePublicKey: clientKeys.publicKey,
    curveSecretKey: clientKeys.secretKey,
  }],
} as const;

/** What the types are called on the wire. */
const NAMES = new Map<unknown, string>([
  ...[[zmq.Push, "PUSH"], [zmq.Pull, "PULL"], [zmq.Dealer, "DEALER"]],
  ...[[zmq.Request, "REQ"], [zmq.Reply, "REP"], [zmq.Subscriber, "SUB"]],
  ...[[zmq.Publisher, "PUB"], [zmq.XSubscriber, "XSUB"], [zmq.Pair, "PAIR"]],
  ...[[zmq.XPublisher, "XPUB"], [zmq.Stream, "STREAM"]],
  ...[[draft.Client, "CLIENT"], [draft.Server, "SERVER"]],
  ...[[draft.Radio, "RADIO"], [draft.Dish, "DISH"]],
  ...[[draft.Gather, "GATHER"], [draft.Scatter, "SCATTER"]],
] as [unknown, string][]);

/** How long hostile peers may take for their handshake. */
export const HANDSHAKE_MS = 400;

/** Makes a socket, with those of the options that its type has. */
function make(Type: Make, options: Record<string, unknown>): Any {
  const known = Object.entries(options).filter(([name]) =>
    name === "context" || name in Type.prototype
  );
  return new Type(Object.fromEntries(known)) as Any;
}

export class Target {
  readonly name: string;
  readonly socket: Any;
  /** The type of socket of its peers. */
  readonly wants: string;
  readonly #peerType: Make;
  readonly #direction: "in" | "out" | "request";
  readonly #mechanism: keyof typeof SECURITY;
  /** 0 where it is the server of its mechanism, 1 where it is the client. */
  readonly #side: 0 | 1;
  /** What a hostile peer knows that CURVE keeps: nothing, or how to be admitted. */
  readonly knowledge: Knowledge | undefined;
  #wanted: string | undefined;
  #found: () => void = () => {};
  /** What should not have happened. */
  fault: string | undefined;

  constructor(type: number, random: Random, context: Context) {
    const [name, Type, peerType, direction] = TYPES[type]!;
    this.#peerType = peerType;
    this.#direction = direction;
    this.#mechanism = name === "Stream"
      ? "NULL"
      : random.pick(["NULL", "NULL", "PLAIN", "CURVE"] as const);
    this.wants = NAMES.get(peerType)!;
    const curve = this.#mechanism === "CURVE";
    this.#side = curve && random.chance(0.3) ? 1 : 0;
    if (curve && random.chance(0.6)) {
      this.knowledge = {
        asServer: this.#side === 1,
        server: serverKeys,
        client: clientKeys,
        wanted: this.wants,
      };
    }
    const socket = this.socket = make(Type, {
      context,
      linger: 0,
      handshakeInterval: HANDSHAKE_MS,
      reconnectInterval: 20,
      sendTimeout: 20,
      ...SECURITY[this.#mechanism][this.#side],
      ...(random.chance(0.5) &&
        { maxMessageSize: random.size(100_000) + 2000 }),
      ...(random.chance(0.3) && { heartbeatInterval: 30 }),
      ...(random.chance(0.3) && { receiveHighWaterMark: 1 + random.below(5) }),
      relaxed: true,
      correlate: true,
    });
    this.name = `${name} ${this.#mechanism}`;
    if (name === "Subscriber") socket.subscribe("");
    if (name === "XSubscriber") void socket.send("\x01");
    if (name === "Dish") socket.join("g");
    if ("receive" in socket) void this.#drain();
  }

  async bind(random: Random): Promise<string> {
    const raw = this.#peerType === zmq.Stream as unknown as Make;
    const transport = random.pick(raw ? ["tcp"] : ["tcp", "tcp", "ipc", "ws"]);
    await this.socket.bind(
      transport === "ipc"
        ? `ipc://${freshPath()}`
        : `${transport}://127.0.0.1:*`,
    );
    return this.socket.lastEndpoint!;
  }

  /** Reads what comes: hostile messages too, but none from who has no key. */
  async #drain(): Promise<void> {
    const { socket } = this;
    try {
      for (;;) {
        const message = await socket.receive().catch(async (error) => {
          // A request that was not sent yet.
          if (error.code !== "EFSM") throw error;
          await pause(10);
        });
        if (message === undefined) continue;
        const last = String(
          message.find((part) =>
            part instanceof Uint8Array && String(part).startsWith("honest")
          ) ?? "",
        );
        if (last === this.#wanted && last !== "") this.#found();
        const subscription = /^XPub/.test(this.name);
        const open = this.#mechanism !== "CURVE" || this.knowledge;
        if (!open && last === "" && !subscription) {
          this.fault = `${this.name} received from who has no key: ${message}`;
        }
        if (this.#direction === "request") {
          await socket.send(message).catch(() => {});
        }
      }
    } catch (error) {
      if (!socket.closed) this.fault = `${this.name}: ${error}`;
    }
  }

  /** A new honest peer must be served. */
  async serve(endpoint: string, context: Context): Promise<void> {
    const wanted = this.#wanted = `honest ${performance.now()}`;
    const stop = { it: false };
    const peer = this.#peerType === zmq.Stream as unknown as Make
      ? this.#rawPeer(endpoint)
      : make(this.#peerType, {
        context,
        linger: 0,
        reconnectInterval: 20,
        sendTimeout: 20,
        ...SECURITY[this.#mechanism][1 - this.#side],
        relaxed: true,
        correlate: true,
      });
    try {
      if (!("raw" in peer)) {
        if (peer instanceof zmq.Subscriber) peer.subscribe("");
        if (this.#peerType === zmq.XSubscriber as unknown as Make) {
          void peer.send("\x01");
        }
        if ("join" in peer) peer.join("g");
        peer.connect(endpoint);
      }
      const sender = this.#direction === "out" ? this.socket : peer as Any;
      const served = this.#direction === "in"
        ? new Promise<void>((resolve) => this.#found = resolve)
        : this.#heard(peer as Any, wanted);
      const sending = (async () => {
        while (!stop.it && !sender.closed) {
          // Full, or not connected yet: later.
          try {
            await sender.send(wanted, GROUP);
          } catch {
            // Tried again, unless that is over.
          }
          await pause(100);
        }
      })();
      await within(served, `${this.name} at ${endpoint} serves an honest peer`);
      stop.it = true;
      await within(sending, `${this.name}: the last send`);
    } finally {
      stop.it = true;
      peer.close();
    }
  }

  async #heard(peer: Any, wanted: string): Promise<void> {
    for (;;) {
      // What a request of ours got no answer to is asked again.
      const message = await peer.receive().catch(() => undefined);
      if (peer.closed) return;
      if (message === undefined) await pause(10);
      if (String(message?.at(0)) === wanted) return;
    }
  }

  #rawPeer(endpoint: string) {
    const { hostname, port } = new URL(endpoint.replace("tcp:", "http:"));
    const socket = connect(Number(port), hostname).on("error", () => {});
    return {
      raw: true,
      send: (text: string) =>
        new Promise<void>((resolve) =>
          socket.write(text as string & Buffer, () => resolve())
        ),
      close: () => void socket.destroy(),
    };
  }
}
