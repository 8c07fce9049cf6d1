/**
 * The twelve socket types (man zmq_socket): which way messages go, and the options
 * each adds.
 */
import { constants } from "zeromq-wasm:constants";
import type { Context } from "./context.ts";
import type { Message, MessageLike } from "./message.ts";
import * as options from "./options.ts";
import { defineOptions, Socket } from "./socket.ts";

const {
  ZMQ_DEALER,
  ZMQ_PAIR,
  ZMQ_PUB,
  ZMQ_PULL,
  ZMQ_PUSH,
  ZMQ_REP,
  ZMQ_REQ,
  ZMQ_ROUTER,
  ZMQ_STREAM,
  ZMQ_SUB,
  ZMQ_XPUB,
  ZMQ_XSUB,
} = constants;

/** Options given to a constructor: the writable properties of the socket. */
export type SocketOptions<S> =
  & { context?: Context }
  & Partial<Omit<S, keyof SocketMethods | "context">>;
type SocketMethods = Record<
  | "bind"
  | "unbind"
  | "connect"
  | "disconnect"
  | "close"
  | "send"
  | "receive"
  | "subscribe"
  | "unsubscribe"
  | "closed"
  | "readable"
  | "writable"
  | "type"
  | "lastEndpoint"
  | "threadSafe"
  | "securityMechanism",
  unknown
>;

type Frames = MessageLike | MessageLike[];

/** A socket that sends. */
export interface Writable {
  sendBufferSize: number;
  sendHighWaterMark: number;
  /** Milliseconds to wait for room; -1 for ever, 0 not at all. */
  sendTimeout: number;
  /**
   * Queues one message of one or more frames, all or none of them. Resolves when
   * it is queued; rejects with EAGAIN after `sendTimeout`, with EFSM, EHOSTUNREACH;
   * throws EBADF when closed, EBUSY while another send waits. The memory of a frame
   * may be changed as soon as `send` returned, unless it waits for room.
   */
  send(message: Frames): Promise<void>;
}

/** A socket that receives. */
export interface Readable {
  receiveBufferSize: number;
  receiveHighWaterMark: number;
  /** Milliseconds to wait for a message; -1 for ever, 0 not at all. */
  receiveTimeout: number;
  /**
   * Takes the next message, one buffer per frame. Rejects with EAGAIN after
   * `receiveTimeout` or when the socket is closed meanwhile; throws EBADF when it
   * was closed before, EBUSY while another receive waits.
   */
  receive(): Promise<Message[]>;
  /** Messages until the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Message[], undefined>;
}

type Access = {
  sendFrames(frames: MessageLike[]): Promise<void>;
  receiveFrames(): Promise<Message[]>;
  closed: boolean;
};

function send(this: Access, message: Frames): Promise<void> {
  if (message === undefined) throw new TypeError("Message must be present");
  return this.sendFrames(Array.isArray(message) ? message : [message]);
}

function receive(this: Access): Promise<Message[]> {
  return this.receiveFrames();
}

function iterate(this: Access): AsyncIterator<Message[], undefined> {
  return {
    next: async () => {
      if (this.closed) return { value: undefined, done: true };
      try {
        return { value: await this.receiveFrames(), done: false };
      } catch (error) {
        if (this.closed && (error as { code?: string }).code === "EAGAIN") {
          return { value: undefined, done: true };
        }
        throw error;
      }
    },
  };
}

function define(
  type: { prototype: object },
  directions: { sends?: boolean; receives?: boolean },
  ...groups: Parameters<typeof defineOptions>[1][]
): void {
  const method = (key: PropertyKey, value: unknown) =>
    Object.defineProperty(type.prototype, key, {
      value,
      writable: true,
      configurable: true,
    });
  if (directions.sends) {
    method("send", send);
    defineOptions(type, options.SENDER);
  }
  if (directions.receives) {
    method("receive", receive);
    method(Symbol.asyncIterator, iterate);
    defineOptions(type, options.RECEIVER);
  }
  defineOptions(type, ...groups);
}

const both = { sends: true, receives: true };

/** Talks to exactly one other Pair. */
export class Pair extends Socket {
  constructor(options?: SocketOptions<Pair>) {
    super(ZMQ_PAIR!, options);
  }
}
export interface Pair extends Writable, Readable {}
define(Pair, both);

/** Sends each message to every subscriber that wants it; drops for slow ones. */
export class Publisher extends Socket {
  constructor(options?: SocketOptions<Publisher>) {
    super(ZMQ_PUB!, options);
  }
}
export interface Publisher extends Writable {
  noDrop: boolean;
  invertMatching: boolean;
  conflate: boolean;
}
define(Publisher, { sends: true }, options.PUBLISHER, options.CONFLATE);

/** Receives the messages whose first frame begins with a subscribed prefix. */
export class Subscriber extends Socket {
  constructor(options?: SocketOptions<Subscriber>) {
    super(ZMQ_SUB!, options);
  }
  /** Subscribes to prefixes; without one, to everything. */
  subscribe(...prefixes: (string | Uint8Array)[]): void {
    this.#each(options.SUBSCRIBE, "subscribe", prefixes);
  }
  /** Takes back subscriptions; without a prefix, the one to everything. */
  unsubscribe(...prefixes: (string | Uint8Array)[]): void {
    this.#each(options.UNSUBSCRIBE, "unsubscribe", prefixes);
  }
  #each(
    option: options.Option,
    name: string,
    prefixes: (string | Uint8Array)[],
  ): void {
    for (const prefix of prefixes.length ? prefixes : [""]) {
      this.setOption(name, option, prefix);
    }
  }
}
export interface Subscriber extends Readable {
  invertMatching: boolean;
  conflate: boolean;
}
define(Subscriber, { receives: true }, options.INVERT, options.CONFLATE);

/** Sends a request, receives its reply, in turns. */
export class Request extends Socket {
  constructor(options?: SocketOptions<Request>) {
    super(ZMQ_REQ!, options);
  }
}
export interface Request extends Writable, Readable {
  routingId: string | null;
  probeRouter: boolean;
  correlate: boolean;
  relaxed: boolean;
}
define(
  Request,
  both,
  options.ROUTING_ID,
  options.PROBE,
  options.REQUEST,
);

/** Receives a request, sends its reply, in turns. */
export class Reply extends Socket {
  constructor(options?: SocketOptions<Reply>) {
    super(ZMQ_REP!, options);
  }
}
export interface Reply extends Writable, Readable {
  routingId: string | null;
}
define(Reply, both, options.ROUTING_ID);

/** Sends round-robin to its peers and receives from all of them. */
export class Dealer extends Socket {
  constructor(options?: SocketOptions<Dealer>) {
    super(ZMQ_DEALER!, options);
  }
}
export interface Dealer extends Writable, Readable {
  routingId: string | null;
  probeRouter: boolean;
  conflate: boolean;
}
define(Dealer, both, options.ROUTING_ID, options.PROBE, options.CONFLATE);

/** Connects, and names the peer for the socket types that address peers. */
function connectNamed(
  this: Socket & {
    setOption(name: string, option: options.Option, value: unknown): void;
  },
  address: string,
  extra?: { routingId?: string },
): void {
  if (extra?.routingId !== undefined) {
    this.setOption("routingId", options.CONNECT_ROUTING_ID, extra.routingId);
  }
  Socket.prototype.connect.call(this, address);
}

/** Receives messages with their sender's routing id in front, and sends to it. */
export class Router extends Socket {
  constructor(options?: SocketOptions<Router>) {
    super(ZMQ_ROUTER!, options);
  }
}
export interface Router extends Writable, Readable {
  routingId: string | null;
  probeRouter: boolean;
  mandatory: boolean;
  handover: boolean;
  connect(address: string, options?: { routingId?: string }): void;
}
define(Router, both, options.ROUTING_ID, options.PROBE, options.ROUTER);
Object.defineProperty(Router.prototype, "connect", { value: connectNamed });

/** Receives work. */
export class Pull extends Socket {
  constructor(options?: SocketOptions<Pull>) {
    super(ZMQ_PULL!, options);
  }
}
export interface Pull extends Readable {
  conflate: boolean;
}
define(Pull, { receives: true }, options.CONFLATE);

/** Sends work round-robin; waits while no peer has room. */
export class Push extends Socket {
  constructor(options?: SocketOptions<Push>) {
    super(ZMQ_PUSH!, options);
  }
}
export interface Push extends Writable {
  conflate: boolean;
}
define(Push, { sends: true }, options.CONFLATE);

/** A Publisher that receives the subscriptions: 1 or 0, then the prefix. */
export class XPublisher extends Socket {
  constructor(options?: SocketOptions<XPublisher>) {
    super(ZMQ_XPUB!, options);
  }
  /** Which repeated subscriptions are received too. */
  set verbosity(value: null | "allSubs" | "allSubsUnsubs") {
    const option = value === "allSubsUnsubs"
      ? options.XPUB_VERBOSER
      : options.XPUB_VERBOSE;
    this.setOption("verbosity", option, value !== null);
  }
}
export interface XPublisher extends Writable, Readable {
  noDrop: boolean;
  invertMatching: boolean;
  manual: boolean;
  welcomeMessage: string | null;
}
define(XPublisher, both, options.XPUBLISHER);

/** A Subscriber that subscribes by sending: 1 or 0, then the prefix. */
export class XSubscriber extends Socket {
  constructor(options?: SocketOptions<XSubscriber>) {
    super(ZMQ_XSUB!, options);
  }
}
export interface XSubscriber extends Writable, Readable {}
define(XSubscriber, both);

/** Speaks raw TCP: a routing id and bytes, both ways. */
export class Stream extends Socket {
  constructor(options?: SocketOptions<Stream>) {
    super(ZMQ_STREAM!, options);
  }
}
export interface Stream extends Writable, Readable {
  notify: boolean;
  connect(address: string, options?: { routingId?: string }): void;
}
define(Stream, both, options.STREAM);
Object.defineProperty(Stream.prototype, "connect", { value: connectNamed });
