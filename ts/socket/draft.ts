/**
 * The draft socket types of libzmq (man zmq_socket; RFC 41, 48, 51, 52): messages of
 * one frame, with a routing id or a group beside it where the pattern has one.
 */
import * as C from "zeromq-wasm:constants";
import type { Channel } from "./channel.ts";
import { zmqError } from "./context.ts";
import { ENTER } from "./internals.ts";
import { type Message, type MessageLike, toBytes } from "./message.ts";
import { addProperties, defineOptions } from "./define_options.ts";
import * as options from "./options.ts";
import {
  DraftReceivingSocket,
  DraftSendingSocket,
  DraftTwoWaySocket,
  type Readable,
  type Writable,
} from "./roles.ts";
import type {
  HasConflate,
  HasDisconnectMessage,
  HasHelloMessage,
  HasNoDrop,
  SocketOptions,
} from "./properties.ts";
import { register } from "./types.ts";

type Single = MessageLike | [MessageLike];

/** The peer of a Server. */
export interface ServerRoutingOptions {
  /** As received; 1 and up. */
  routingId: number;
}

/** The group of a Radio's message: at most 255 bytes. */
export interface RadioGroupOptions {
  group: Uint8Array | string;
}

/** The group a Dish received a message in. */
export interface DishGroupOptions {
  group: Message;
}

function invalid(socket: unknown, message: string): Error {
  const { reactor } = (socket as { [ENTER](): Channel })[ENTER]().core;
  return zmqError(reactor.host, "EINVAL", { message });
}

/** A message of a draft socket is one frame, and its address is checked first. */
function sendsTo(
  type: { prototype: object },
  check: (options: Record<string, unknown>) => string | undefined,
): void {
  type Send = (message: unknown, options?: unknown) => Promise<void>;
  const { send } = type.prototype as { send: Send };
  const value: Send = function (this: unknown, message, options) {
    if (typeof options !== "object" || options === null) {
      throw new TypeError("Options must be an object");
    }
    const wrong = check(options as Record<string, unknown>);
    if (wrong !== undefined) throw invalid(this, wrong);
    return send.call(this, message, options);
  };
  addProperties(type, [
    { name: "send", value, writable: true, configurable: true },
  ]);
}

/** Talks to many Clients, each under a number. */
export class Server extends DraftTwoWaySocket {
  constructor(options?: SocketOptions<Server>) {
    super(C.ZMQ_SERVER, options);
  }
}
export interface Server
  extends
    Writable<Single, [ServerRoutingOptions]>,
    Readable<[Message, ServerRoutingOptions]>,
    HasHelloMessage,
    HasDisconnectMessage {}
defineOptions(Server, options.HELLO, options.GOODBYE);
sendsTo(
  Server,
  ({ routingId }) =>
    Number.isInteger(routingId) && Number(routingId) > 0
      ? undefined
      : `routingId must be a positive integer: ${String(routingId)}`,
);

/** Talks to a Server. */
export class Client extends DraftTwoWaySocket {
  constructor(options?: SocketOptions<Client>) {
    super(C.ZMQ_CLIENT, options);
  }
}
export interface Client
  extends Writable<Single>, Readable<[Message]>, HasHelloMessage {}
defineOptions(Client, options.HELLO);

/** Sends messages to groups. */
export class Radio extends DraftSendingSocket {
  constructor(options?: SocketOptions<Radio>) {
    super(C.ZMQ_RADIO, options);
  }
}
export interface Radio
  extends Writable<Single, [RadioGroupOptions]>, HasNoDrop {}
defineOptions(Radio, options.NO_DROP);
sendsTo(Radio, ({ group }) => groupFault(group));

const MOST_GROUP_BYTES = 255;

function groupFault(group: unknown): string | undefined {
  // Of which realm it is does not matter.
  if (typeof group !== "string" && !ArrayBuffer.isView(group)) {
    return `Group must be a string or a buffer: ${String(group)}`;
  }
  const bytes = toBytes(group);
  if (bytes.length > MOST_GROUP_BYTES) {
    return `Group must be at most ${MOST_GROUP_BYTES} bytes: ${bytes.length}`;
  }
  return bytes.includes(0) ? "Group must not contain a zero byte" : undefined;
}

/** Receives the messages of the groups it joined. */
export class Dish extends DraftReceivingSocket {
  constructor(options?: SocketOptions<Dish>) {
    super(C.ZMQ_DISH, options);
  }
  /** Joins groups. Throws EINVAL for one that was joined before. */
  join(...groups: (Uint8Array | string)[]): void {
    callEach(this, "zmq_join", groups);
  }
  /** Leaves groups. Throws EINVAL for one that was not joined. */
  leave(...groups: (Uint8Array | string)[]): void {
    const channel = (this as unknown as { [ENTER](): Channel })[ENTER]();
    try {
      callEach(this, "zmq_leave", groups);
    } finally {
      channel.unsubscribed(); // also of those before one that was not joined
    }
  }
}

function callEach(
  dish: unknown,
  name: string,
  groups: (Uint8Array | string)[],
): void {
  for (const group of groups) {
    const wrong = groupFault(group);
    if (wrong !== undefined) throw invalid(dish, wrong);
    const channel = (dish as { [ENTER](): Channel })[ENTER]();
    const { reactor } = channel.core;
    const rc = reactor.instance.memory.withBytes(
      Uint8Array.of(...toBytes(group), 0),
      (text) => reactor.call(name, channel.pointer, text),
    );
    const errno = rc < 0 ? reactor.call("zmq_errno") : 0;
    channel.changed();
    if (rc < 0) throw channel.error(errno);
  }
}
export interface Dish extends Readable<[Message, DishGroupOptions]> {}

/** Receives from Scatters, fairly. */
export class Gather extends DraftReceivingSocket {
  constructor(options?: SocketOptions<Gather>) {
    super(C.ZMQ_GATHER, options);
  }
}
export interface Gather extends Readable<[Message]>, HasConflate {}
defineOptions(Gather, options.CONFLATE);

/** Sends round-robin to Gathers. */
export class Scatter extends DraftSendingSocket {
  constructor(options?: SocketOptions<Scatter>) {
    super(C.ZMQ_SCATTER, options);
  }
}
export interface Scatter extends Writable<Single>, HasConflate {}
defineOptions(Scatter, options.CONFLATE);

/** Sends and receives UDP datagrams: the peer's address and the bytes. */
export class Datagram extends DraftTwoWaySocket {
  constructor(options?: SocketOptions<Datagram>) {
    super(C.ZMQ_DGRAM, options);
  }
}
export interface Datagram
  extends Writable<[MessageLike, MessageLike]>, Readable<[Message, Message]> {}

register(C.ZMQ_SERVER, Server);
register(C.ZMQ_CLIENT, Client);
register(C.ZMQ_RADIO, Radio);
register(C.ZMQ_DISH, Dish);
register(C.ZMQ_GATHER, Gather);
register(C.ZMQ_SCATTER, Scatter);
register(C.ZMQ_DGRAM, Datagram);
