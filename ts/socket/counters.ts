/**
 * What sockets and contexts count. Messages and bytes are counted as they pass, which
 * costs an addition; libzmq counts connections as they come and go; everything else is
 * found out when somebody asks.
 */
import type { Reactor } from "../reactor/reactor.ts";

/** What a socket, or all sockets of a context, did so far, and how it is now. */
export interface Counters {
  /** When the counting began: the socket was made, or the context was first used. */
  readonly since: Date;
  /** Messages that were queued to be sent, which does not say that they have left. */
  readonly messagesSent: number;
  /** The bytes of their frames, without any overhead. */
  readonly bytesSent: number;
  /** Messages that the program, or a proxy, has received. */
  readonly messagesReceived: number;
  /** The bytes of their frames, without any overhead. */
  readonly bytesReceived: number;
  /**
   * Messages that wait in the socket now until a connection takes them, once for each
   * peer they are for; subscriptions too. What a connection has taken is not counted,
   * though it may be on its way for long; nor is the one that a `send` waits with, nor
   * what waits with `conflate`.
   */
  readonly queuedToSend: number;
  /**
   * Messages that have arrived and wait to be received. Over `inproc` these are the
   * ones that the other socket has as `queuedToSend`.
   */
  readonly queuedToReceive: number;
  /**
   * Connections that stand now, with their handshake done, made and accepted ones. There
   * is none for `inproc` within a thread, nor for `udp`.
   */
  readonly connections: number;
  /** How many such connections there were in all, with those that stand. */
  readonly connectionsMade: number;
  /**
   * How often a connection that was lost, or could not be made, was scheduled to be
   * tried again: the `connect:retry` events.
   */
  readonly reconnects: number;
}

/**
 * What passed a socket: messages and bytes sent, messages and bytes received, in the order of
 * `zw_counters`. Doubles from the beginning: what JavaScriptCore compiles for small integers it
 * throws away at 2 GiB.
 */
export type Traffic = Float64Array;

export function noTraffic(): Traffic {
  return new Float64Array(4);
}

export function countSent(
  traffic: Traffic,
  messages: number,
  bytes: number,
): void {
  traffic[0]! += messages;
  traffic[1]! += bytes;
}

/** One message. */
export function countReceived(
  traffic: Traffic,
  message: readonly { length?: number }[],
): void {
  let bytes = 0;
  for (let i = 0; i < message.length; i++) {
    // The last element of a draft socket's message is no frame.
    bytes += message[i]!.length ?? 0;
  }
  traffic[2]!++;
  traffic[3]! += bytes;
}

function add(to: Traffic, more: Traffic): void {
  for (let i = 0; i < to.length; i++) to[i]! += more[i]!;
}

function named(traffic: Traffic) {
  return {
    messagesSent: traffic[0]!,
    bytesSent: traffic[1]!,
    messagesReceived: traffic[2]!,
    bytesReceived: traffic[3]!,
  };
}

/** A socket that is counted. */
export interface Counted {
  readonly pointer: number;
  readonly closed: boolean;
  readonly since: number;
  readonly traffic: Traffic;
  /** Messages that were fetched from libzmq and wait. */
  readonly fetched: number;
}

/** What libzmq knows. */
interface Known {
  readonly queuedToSend: number;
  readonly queuedToReceive: number;
  /** What a proxy has moved: it never entered JavaScript. */
  readonly forwarded: Traffic;
  readonly connections: Connections;
}

type Connections = Pick<
  Counters,
  "connections" | "connectionsMade" | "reconnects"
>;
const NONE: Connections = { connections: 0, connectionsMade: 0, reconnects: 0 };

const SOCKET_VALUES = 9, TOTAL_VALUES = 3;

/** Counts for a context. */
export class Register {
  readonly #since = new Date();
  readonly #reactor: Reactor;
  readonly #context: number;
  readonly #scratch: number;
  /** The sockets that libzmq has, with its pointers: open ones, and closed ones. */
  readonly #sockets = new Map<Counted, number>();
  /** What passed the sockets that are gone. */
  readonly #gone = noTraffic();
  #connections = NONE;
  /** What is known last of sockets that are closed. */
  readonly #last = new WeakMap<Counted, Connections>();

  /** `scratch` is memory of the module, for the time of a call. */
  constructor(reactor: Reactor, context: number, scratch: number) {
    this.#reactor = reactor;
    this.#context = context;
    this.#scratch = scratch;
  }

  add(socket: Counted): void {
    this.#sockets.set(socket, socket.pointer);
  }

  /** It is about to be closed: nothing will pass it any more. */
  closing(socket: Counted): void {
    const known = this.#ask(socket);
    if (!known) return;
    add(socket.traffic, known.forwarded);
    this.#last.set(socket, known.connections);
  }

  gone(socket: Counted): void {
    if (!this.#sockets.delete(socket)) return;
    add(this.#gone, socket.traffic);
    const last = this.#last.get(socket);
    if (last) this.#last.set(socket, { ...last, connections: 0 });
  }

  /** Whether sockets that are closed are not gone yet. */
  get isLeaving(): boolean {
    for (const { closed } of this.#sockets.keys()) if (closed) return true;
    return false;
  }

  of(socket: Counted): Counters {
    const known = this.#ask(socket);
    return {
      since: new Date(socket.since),
      ...named(trafficOf(socket, known)),
      queuedToSend: known?.queuedToSend ?? 0,
      queuedToReceive: (known?.queuedToReceive ?? 0) + socket.fetched,
      ...known?.connections ?? this.#last.get(socket) ?? NONE,
    };
  }

  get sums(): Counters {
    const traffic = this.#gone.slice();
    let queuedToSend = 0, queuedToReceive = 0;
    for (const socket of this.#sockets.keys()) {
      const known = this.#ask(socket);
      add(traffic, trafficOf(socket, known));
      queuedToSend += known?.queuedToSend ?? 0;
      queuedToReceive += (known?.queuedToReceive ?? 0) + socket.fetched;
    }
    const values = this.#read(TOTAL_VALUES, "zw_total_counters");
    this.#connections = values
      ? connectionsOf(values)
      : { ...this.#connections, connections: 0 };
    return {
      since: new Date(this.#since),
      ...named(traffic),
      queuedToSend,
      queuedToReceive,
      ...this.#connections,
    };
  }

  #ask(socket: Counted): Known | undefined {
    const pointer = this.#sockets.get(socket);
    if (pointer === undefined) return undefined;
    const values = this.#read(
      SOCKET_VALUES,
      "zw_counters",
      this.#context,
      pointer,
    );
    return values && {
      queuedToSend: values[0]!,
      queuedToReceive: values[1]!,
      forwarded: values.slice(2, 6),
      connections: connectionsOf(values.slice(6)),
    };
  }

  /** Doubles that a function of the module writes, if it returns that it did. */
  #read(
    count: number,
    name: string,
    ...args: number[]
  ): Float64Array | undefined {
    const reactor = this.#reactor;
    if (reactor.instance.dead) return undefined;
    // Not allocated: the memory may be used up, and a socket can be closed nevertheless.
    const out = this.#scratch;
    if (reactor.call(name, ...args, out) === 0) return undefined;
    const { bytes } = reactor.instance.memory;
    return new Float64Array(bytes.slice(out, out + count * 8).buffer);
  }
}

/** With what a proxy has moved; of closed sockets that is added already. */
function trafficOf(socket: Counted, known: Known | undefined): Traffic {
  const traffic = socket.traffic.slice();
  if (known && !socket.closed) add(traffic, known.forwarded);
  return traffic;
}

function connectionsOf(values: Float64Array): Connections {
  return {
    connections: values[0]!,
    connectionsMade: values[1]!,
    reconnects: values[2]!,
  };
}
