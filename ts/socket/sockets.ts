/**
 * The twelve socket types (man zmq_socket): which way messages go, and the options
 * each adds.
 */
import * as C from "zeromq-wasm:constants";
import { GET_OPTION, SET_OPTION } from "./internals.ts";
import type { Message, MessageLike } from "./message.ts";
import { defineOptions, setName } from "./define_options.ts";
import * as options from "./options.ts";
import {
  type Receiver,
  ReceivingSocket,
  type Sender,
  SendingSocket,
  TwoWaySocket,
} from "./roles.ts";
import type {
  HasConflate,
  HasDisconnectMessage,
  HasHelloMessage,
  HasInvertMatching,
  HasNoDrop,
  HasOnlyFirstSubscribe,
  HasProbe,
  HasRoutingId,
  SocketOptions,
} from "./properties.ts";
import { Socket } from "./socket.ts";
import { register } from "./types.ts";

interface Settable {
  [SET_OPTION](name: string, option: options.Option, value: unknown): void;
}

function setEach(
  socket: unknown,
  option: options.Option,
  name: string,
  prefixes: (string | Uint8Array)[],
): void {
  for (const prefix of prefixes.length ? prefixes : [""]) {
    (socket as Settable)[SET_OPTION](name, option, prefix);
  }
}

/** Talks to exactly one other Pair. */
export class Pair extends TwoWaySocket {
  constructor(options?: SocketOptions<Pair>) {
    super(C.ZMQ_PAIR, options);
  }
}
export interface Pair extends Sender, Receiver {}

/** Sends each message to every subscriber that wants it; drops for slow ones. */
export class Publisher extends SendingSocket {
  constructor(options?: SocketOptions<Publisher>) {
    super(C.ZMQ_PUB, options);
  }
}
export interface Publisher
  extends Sender, HasNoDrop, HasInvertMatching, HasConflate {}
defineOptions(Publisher, options.PUBLISHER, options.CONFLATE);

/** Receives the messages whose first frame begins with a subscribed prefix. */
export class Subscriber extends ReceivingSocket {
  constructor(options?: SocketOptions<Subscriber>) {
    super(C.ZMQ_SUB, options);
  }
  /** Subscribes to prefixes; without one, to everything. */
  subscribe(...prefixes: (string | Uint8Array)[]): void {
    setEach(this, options.SUBSCRIBE, "subscribe", prefixes);
  }
  /** Takes back subscriptions; without a prefix, the one to everything. */
  unsubscribe(...prefixes: (string | Uint8Array)[]): void {
    setEach(this, options.UNSUBSCRIBE, "unsubscribe", prefixes);
  }
}
export interface Subscriber extends Receiver, HasInvertMatching, HasConflate {}
defineOptions(Subscriber, options.INVERT, options.CONFLATE);

/** Sends a request, receives its reply, in turns. */
export class Request extends TwoWaySocket {
  constructor(options?: SocketOptions<Request>) {
    super(C.ZMQ_REQ, options);
  }
}
export interface Request extends Sender, Receiver, HasRoutingId, HasProbe {
  /** Number the requests, so that late replies are recognised and dropped; false at first. */
  correlate: boolean;
  /** Send again without waiting for the reply, which is then dropped; false at first. */
  relaxed: boolean;
}
defineOptions(Request, options.ROUTING_ID, options.PROBE, options.REQUEST);

/** Receives a request, sends its reply, in turns. */
export class Reply extends TwoWaySocket {
  constructor(options?: SocketOptions<Reply>) {
    super(C.ZMQ_REP, options);
  }
}
export interface Reply extends Sender, Receiver, HasRoutingId {}
defineOptions(Reply, options.ROUTING_ID);

/** Sends round-robin to its peers and receives from all of them. */
export class Dealer extends TwoWaySocket {
  constructor(options?: SocketOptions<Dealer>) {
    super(C.ZMQ_DEALER, options);
  }
}
export interface Dealer
  extends
    Sender,
    Receiver,
    HasRoutingId,
    HasProbe,
    HasConflate,
    HasHelloMessage {}
defineOptions(
  Dealer,
  options.ROUTING_ID,
  options.PROBE,
  options.CONFLATE,
  options.HELLO,
);

/** How Router and Stream connect. */
export interface RouterConnectOptions {
  /** The peer's routing id here: 1 to 255 bytes, the first of which is not 0. */
  routingId?: string | Uint8Array;
}
/** How Router and Stream connect. */
export type StreamConnectOptions = RouterConnectOptions;

/** Connects, and names the peer for the socket types that address peers. */
function connectNamed(
  this: Socket & Settable,
  address: string,
  { routingId }: RouterConnectOptions = {},
): void {
  if (routingId !== undefined && routingId.length > 0) {
    this[SET_OPTION]("routingId", options.CONNECT_ROUTING_ID, routingId);
  }
  Socket.prototype.connect.call(this, address);
}

/** Receives messages with their sender's routing id in front, and sends to it. */
export class Router extends TwoWaySocket {
  constructor(options?: SocketOptions<Router>) {
    super(C.ZMQ_ROUTER, options);
  }
}
export interface Router
  extends
    Sender,
    Receiver,
    HasRoutingId,
    HasProbe,
    HasHelloMessage,
    HasDisconnectMessage {
  /** Reject with EHOSTUNREACH for an unknown peer, wait for one without room; false at first: drop. */
  mandatory: boolean;
  /** A new peer takes over the routing id, and the old one is closed; false at first: refuse it. */
  handover: boolean;
  /** Receive `[routingId, ""]` when a peer comes (1), goes (2), or both (3); 0 at first. */
  routerNotify: number;
  connect(address: string, options?: RouterConnectOptions): void;
}
defineOptions(
  Router,
  options.ROUTING_ID,
  options.PROBE,
  options.ROUTER,
  options.HELLO,
  options.GOODBYE,
);
Object.defineProperty(Router.prototype, "connect", {
  value: connectNamed,
  writable: true,
  configurable: true,
});

/** Receives work. */
export class Pull extends ReceivingSocket {
  constructor(options?: SocketOptions<Pull>) {
    super(C.ZMQ_PULL, options);
  }
}
export interface Pull extends Receiver, HasConflate {}
defineOptions(Pull, options.CONFLATE);

/** Sends work round-robin; waits while no peer has room. */
export class Push extends SendingSocket {
  constructor(options?: SocketOptions<Push>) {
    super(C.ZMQ_PUSH, options);
  }
}
export interface Push extends Sender, HasConflate {}
defineOptions(Push, options.CONFLATE);

/** A Publisher that receives the subscriptions: 1 or 0, then the prefix. */
export class XPublisher extends TwoWaySocket {
  constructor(options?: SocketOptions<XPublisher>) {
    super(C.ZMQ_XPUB, options);
  }
  /** Which repeated subscriptions are received too: none, subscriptions, or all. */
  get verbosity(): null | "allSubs" | "allSubsUnsubs" {
    if (this[GET_OPTION](options.XPUB_VERBOSER)) return "allSubsUnsubs";
    return this[GET_OPTION](options.XPUB_VERBOSE) ? "allSubs" : null;
  }
  set verbosity(value: null | "allSubs" | "allSubsUnsubs") {
    if (![null, "allSubs", "allSubsUnsubs"].includes(value)) {
      throw new TypeError(
        `verbosity must be null, "allSubs" or "allSubsUnsubs": ${value}`,
      );
    }
    const most = value === "allSubsUnsubs";
    this[SET_OPTION]("verbosity", options.XPUB_VERBOSER, most);
    if (most) return;
    this[SET_OPTION]("verbosity", options.XPUB_VERBOSE, value === "allSubs");
  }
  /** With `manual`: subscribes the peer whose message was received last. */
  subscribe(...prefixes: (string | Uint8Array)[]): void {
    setEach(this, options.SUBSCRIBE, "subscribe", prefixes);
  }
  /** With `manual`: takes back subscriptions of the peer received from last. */
  unsubscribe(...prefixes: (string | Uint8Array)[]): void {
    setEach(this, options.UNSUBSCRIBE, "unsubscribe", prefixes);
  }
}
export interface XPublisher
  extends
    Sender,
    Receiver,
    HasNoDrop,
    HasInvertMatching,
    HasOnlyFirstSubscribe {
  /** `subscribe` and `unsubscribe` decide instead of what arrives; false at first. */
  manual: boolean;
  /** Like `manual`, and a message goes only to the subscriber received from last; false at first. */
  manualLastValue: boolean;
  /** Sent to each new subscriber; null (at first) for none; bytes can be set too. */
  get welcomeMessage(): string | null;
  set welcomeMessage(value: string | Uint8Array | null);
}
defineOptions(XPublisher, options.XPUBLISHER);

/** A Subscriber that subscribes by sending: 1 or 0, then the prefix. */
export class XSubscriber extends TwoWaySocket {
  constructor(options?: SocketOptions<XSubscriber>) {
    super(C.ZMQ_XSUB, options);
  }
}
export interface XSubscriber extends Sender, Receiver, HasOnlyFirstSubscribe {}
defineOptions(XSubscriber, options.FIRST_ONLY);

/** Speaks raw TCP: a routing id and bytes, both ways. */
export class Stream extends TwoWaySocket {
  constructor(options?: SocketOptions<Stream>) {
    super(C.ZMQ_STREAM, options);
  }
}
export interface Stream
  extends Sender<[MessageLike, MessageLike]>, Receiver<[Message, Message]> {
  /** Receive an empty frame when a peer connects and when it is gone; true at first. */
  notify: boolean;
  connect(address: string, options?: StreamConnectOptions): void;
}
setName(Stream, "Stream");
defineOptions(Stream, options.STREAM);
Object.defineProperty(Stream.prototype, "connect", {
  value: connectNamed,
  writable: true,
  configurable: true,
});

register(C.ZMQ_PAIR, Pair);
register(C.ZMQ_PUB, Publisher);
register(C.ZMQ_SUB, Subscriber);
register(C.ZMQ_REQ, Request);
register(C.ZMQ_REP, Reply);
register(C.ZMQ_DEALER, Dealer);
register(C.ZMQ_ROUTER, Router);
register(C.ZMQ_PULL, Pull);
register(C.ZMQ_PUSH, Push);
register(C.ZMQ_XPUB, XPublisher);
register(C.ZMQ_XSUB, XSubscriber);
register(C.ZMQ_STREAM, Stream);
