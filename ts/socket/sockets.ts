/**
 * The twelve socket types (man zmq_socket): which way messages go, and the options
 * each adds.
 */
import { constants } from "zeromq-wasm:constants";
import type { Context } from "./context.ts";
import * as options from "./options.ts";
import { define, type Receiver, type Sender } from "./roles.ts";
import { Socket } from "./socket.ts";

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
export type SocketOptions<S> = Partial<
  Pick<S, WritableKeys<S>> & { context: Context }
>;
type WritableKeys<S> = {
  [K in keyof S]-?: S[K] extends (...args: never[]) => unknown ? never
    : Same<{ [P in K]: S[P] }, { -readonly [P in K]: S[P] }> extends true ? K
    : never;
}[keyof S];
/** Whether two types are the same, `readonly` included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

const both = { sends: "frames", receives: "frames" } as const;
const sender = { sends: "frames" } as const;
const receiver = { receives: "frames" } as const;

/** Talks to exactly one other Pair. */
export class Pair extends Socket {
  constructor(options?: SocketOptions<Pair>) {
    super(ZMQ_PAIR!, options);
  }
}
export interface Pair extends Sender, Receiver {}
define(Pair, both);

/** Sends each message to every subscriber that wants it; drops for slow ones. */
export class Publisher extends Socket {
  constructor(options?: SocketOptions<Publisher>) {
    super(ZMQ_PUB!, options);
  }
}
export interface Publisher extends Sender {
  noDrop: boolean;
  invertMatching: boolean;
  conflate: boolean;
}
define(Publisher, sender, options.PUBLISHER, options.CONFLATE);

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
export interface Subscriber extends Receiver {
  invertMatching: boolean;
  conflate: boolean;
}
define(Subscriber, receiver, options.INVERT, options.CONFLATE);

/** Sends a request, receives its reply, in turns. */
export class Request extends Socket {
  constructor(options?: SocketOptions<Request>) {
    super(ZMQ_REQ!, options);
  }
}
export interface Request extends Sender, Receiver {
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
export interface Reply extends Sender, Receiver {
  routingId: string | null;
}
define(Reply, both, options.ROUTING_ID);

/** Sends round-robin to its peers and receives from all of them. */
export class Dealer extends Socket {
  constructor(options?: SocketOptions<Dealer>) {
    super(ZMQ_DEALER!, options);
  }
}
export interface Dealer extends Sender, Receiver {
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
export interface Router extends Sender, Receiver {
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
export interface Pull extends Receiver {
  conflate: boolean;
}
define(Pull, receiver, options.CONFLATE);

/** Sends work round-robin; waits while no peer has room. */
export class Push extends Socket {
  constructor(options?: SocketOptions<Push>) {
    super(ZMQ_PUSH!, options);
  }
}
export interface Push extends Sender {
  conflate: boolean;
}
define(Push, sender, options.CONFLATE);

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
export interface XPublisher extends Sender, Receiver {
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
export interface XSubscriber extends Sender, Receiver {}
define(XSubscriber, both);

/** Speaks raw TCP: a routing id and bytes, both ways. */
export class Stream extends Socket {
  constructor(options?: SocketOptions<Stream>) {
    super(ZMQ_STREAM!, options);
  }
}
export interface Stream extends Sender, Receiver {
  notify: boolean;
  connect(address: string, options?: { routingId?: string }): void;
}
define(Stream, both, options.STREAM);
Object.defineProperty(Stream.prototype, "connect", { value: connectNamed });
