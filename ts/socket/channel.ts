/**
 * One socket of libzmq as a promise-based pipe: its life, receiving, waiting; what sends is in
 * sender.ts.
 *
 * Operations try libzmq at once (always ZMQ_DONTWAIT); one that would block parks
 * and is tried again whenever libzmq signals the socket.
 */
import * as C from "zeromq-wasm:constants";
import type { Client } from "../reactor/client.ts";
import { type ContextCore, zmqError } from "./context.ts";
import {
  type Counted,
  countReceived,
  countSent,
  noTraffic,
} from "./counters.ts";
import { Inbox, type Properties } from "./inbox.ts";
import { END, type Message, type Step } from "./message.ts";
import { open } from "./open.ts";
import {
  EAGAIN,
  EFSM,
  isAborted,
  NO_WAIT,
  NOT_YET,
  type Operation,
  park,
  type Parked,
  type Wait,
} from "./parking.ts";
import { partIdle, partLater, patienceOf } from "./parting.ts";
import { Sender } from "./sender.ts";

/** Messages fetched by one crossing, at most. */
const PREFETCH = 256;
/** A message taken ahead would change what these may do next. */
const STATEFUL = [C.ZMQ_REQ, C.ZMQ_REP];
const RESOLVED: Promise<void> = Promise.resolve();

export class Channel implements Client, Counted {
  readonly core: ContextCore;
  /** ZMQ_PUSH and so on. */
  readonly type: number;
  /** libzmq's socket; 0 once closed. */
  pointer: number;
  /** Milliseconds; -1 waits for ever, 0 not at all. */
  sendTimeout = -1;
  receiveTimeout = -1;
  /**
   * How many messages one crossing may take ahead. They count on top of the
   * high-water mark, so it is no more than that; sockets with a state take one.
   */
  prefetch: number;
  readonly traffic = noTraffic();
  readonly since: number = Date.now();
  /** Whether it was bound to where connections come in, from other sockets of the program too. */
  listens = false;
  /** Told after the channel is closed: its observer. */
  afterClose: (() => void) | undefined;
  /** Whose channel it is. */
  owner: { deref(): object | undefined } | undefined;
  readonly #slot: number;
  /** What to call the thing in an error. */
  readonly #noun: string;
  #reader: Parked<unknown> | undefined;
  /** What the receive that waits makes of a message, and why it waits. */
  #taking: () => unknown = () => undefined;
  #unfilled = 0;
  /** Whether the last message was waited for, so that there was no other. */
  waited = false;
  #diverted: Client | undefined;
  readonly #inbox: Inbox;
  readonly sender: Sender;
  #isGone = false;
  /** For `gone`: how long inproc may wait, in ms, and the socket of libzmq. */
  #patience = Infinity;
  #ended = 0;
  readonly #whenGone: (() => void)[] = [];

  constructor(core: ContextCore, type: number, noun = "Socket") {
    this.core = core;
    this.type = type;
    this.#noun = noun;
    this.#inbox = new Inbox(core.reactor, type, core.outbox.scratch);
    this.sender = new Sender(this);
    this.prefetch = STATEFUL.includes(type) ? 1 : PREFETCH;
    this.#slot = core.reactor.add(this);
    this.pointer = open(core, type, this.#slot);
    core.opened(this);
  }

  get closed(): boolean {
    return this.pointer === 0;
  }

  /** Messages that wait here, out of libzmq's sight. */
  get fetched(): number {
    return this.#inbox.length;
  }

  /** Whether a message can be received, sent, without waiting. */
  get readable(): boolean {
    return !this.closed &&
      (this.#inbox.length > 0 || (this.#events() & 1) !== 0);
  }

  get writable(): boolean {
    return !this.closed && (this.#events() & 2) !== 0;
  }

  /** ZMQ_EVENTS; asking makes libzmq look after the socket, which can cause more work. */
  #events(): number {
    const events = this.core.reactor.call("zw_events", this.pointer);
    this.core.reactor.touch();
    return events;
  }

  /** Limits `prefetch`; libzmq has 0 for "no limit". */
  limitPrefetch(messages: number): void {
    if (messages > 0 && messages < this.prefetch) this.prefetch = messages;
  }

  /** Pending operations reject with EAGAIN; queued messages leave within `linger`. */
  close(): void {
    if (this.closed) return;
    const { reactor, outside, register, inproc } = this.core;
    partIdle(this, inproc.of(this.pointer));
    this.#patience = patienceOf(this);
    outside?.closing(this);
    register.closing(this);
    this.#ended = this.pointer;
    this.pointer = 0;
    this.#inbox.clear();
    reactor.remove(this.#slot, () => {
      this.#isGone = true;
      inproc.gone(this.#ended);
      register.gone(this);
      this.core.gone();
      for (const task of this.#whenGone.splice(0)) task();
    });
    this.core.closed(this);
    if (this.#taking === this.#step || this.#taking === this.#leave) {
      this.#reader?.resolve(END);
    }
    this.fail(this.error("EAGAIN"));
    this.#diverted = undefined;
    if (reactor.instance.dead) return;
    reactor.call("zw_close", this.#ended);
    reactor.touch();
    this.afterClose?.();
  }

  /**
   * Resolves when the closed socket is gone, with its messages or their `linger`;
   * keeps the process alive until then.
   */
  gone(): Promise<void> {
    if (this.#isGone) return RESOLVED;
    const { reactor } = this.core;
    const gone = new Promise<void>((done) => this.#whenGone.push(done));
    const timer = partLater(this.core, this.#ended, this.#patience);
    reactor.hold();
    return gone.then(() => {
      timer?.cancel();
      reactor.drop();
    });
  }

  /**
   * The application changed what the socket can do (a new endpoint, more room), of
   * which libzmq does not tell the socket itself.
   */
  changed(): void {
    const { reactor } = this.core;
    if (this.#reader || this.sender.waits) {
      reactor.pump();
      this.ready();
    } else reactor.touch();
  }

  /** The socket wants less than before. */
  unsubscribed(): void {
    this.#inbox.unsubscribed(this.pointer);
  }

  /** `owner`: the socket, which is not collected while it waits. */
  receive(wait: Wait = NO_WAIT, owner?: object): Promise<Message[]> {
    // The common case, without the closures of the general one.
    if (
      this.#reader === undefined && wait.signal === undefined &&
      this.#inbox.length > 0
    ) {
      const message = this.#shift();
      const { reactor } = this.core;
      reactor.touch();
      return reactor.mustYield
        ? reactor.yield().then(() => message)
        : Promise.resolve(message);
    }
    return this.#take(this.#shift, wait, owner);
  }

  /** The next step of an iteration, which is over when the socket is closed. */
  step(wait: Wait = NO_WAIT, owner?: object): Promise<Step> {
    return this.#take(this.#step, wait, owner);
  }

  /** Resolves when there is a message, which stays, or the socket is closed. */
  arrival(wait: Wait, owner: object): Promise<unknown> {
    return this.#take(this.#leave, wait, owner);
  }

  /** The next message, if it is here already and nothing else has to run first. */
  poll(): Message[] | undefined {
    const { reactor } = this.core;
    if (
      this.#reader !== undefined || this.#inbox.length === 0 ||
      reactor.mustYield
    ) return undefined;
    reactor.touch();
    return this.#shift();
  }

  #fill(): number {
    return this.#inbox.fill(this.pointer, this.prefetch);
  }

  /** The next message, if it is here; for those who neither wait nor count. */
  fetch(): Message[] | undefined {
    return !this.closed && this.#fill() > 0 ? this.#inbox.shift() : undefined;
  }

  /** Like `receive`, with what is known of the connection. */
  receiveDetailed(
    wait: Wait = NO_WAIT,
  ): Promise<{ frames: Message[]; properties: Properties }> {
    return this.#take(() => {
      const properties = this.#inbox.properties();
      return { frames: this.#shift(), properties };
    }, wait);
  }

  /** All messages that are there, at most `max`; waits for the first. */
  receiveMany(max: number, wait: Wait = NO_WAIT): Promise<Message[][]> {
    return this.#take(() => {
      const messages = this.#inbox.takeMany(this.pointer, max, this.prefetch);
      for (const message of messages) this.#count(message);
      this.core.reactor.touch(0, messages.length);
      return messages;
    }, wait);
  }

  /** Resolves with what `take` returns once a message is there. */
  #take<T>(
    take: () => T,
    { signal }: Wait,
    owner = this.owner?.deref(),
  ): Promise<T> {
    if (this.#reader) throw this.busy("reading", "receive");
    if (isAborted(signal)) return Promise.reject(signal!.reason);
    const { reactor } = this.core;
    let rc: number;
    try {
      rc = this.#fill();
    } catch (error) {
      return Promise.reject(error);
    }
    if (rc < 0 && rc !== EFSM) return Promise.reject(this.error(-rc));
    this.waited = rc <= 0;
    if (rc > 0) {
      reactor.touch();
      const result = take();
      return reactor.mustYield
        ? reactor.yield().then(() => result)
        : Promise.resolve(result);
    }
    this.#taking = take;
    this.#unfilled = rc;
    const operation = this.#receiving as Operation<T>;
    const parked = park(
      reactor,
      operation,
      this.receiveTimeout,
      signal,
      owner,
    );
    // Only now: what comes with it must find who waits for it.
    reactor.touchThen();
    return parked;
  }

  /** A receive that waits: there is one at a time. */
  readonly #receiving: Operation<unknown> = {
    place: (parked) => this.#reader = parked,
    attempt: () => {
      const rc = this.#fill();
      this.#unfilled = rc;
      if (rc === 0 || rc === EFSM) return NOT_YET;
      if (rc < 0) throw this.error(-rc);
      return this.#taking();
    },
    expired: () => this.error(this.#unfilled === EFSM ? -EFSM : -EAGAIN),
  };

  readonly #shift = (): Message[] => {
    const message = this.#inbox.shift();
    this.#count(message);
    return message;
  };

  readonly #step = (): Step => ({ value: this.#shift(), done: false });

  readonly #leave = (): void => {};

  #count(message: Message[]): void {
    const { core: { reactor: { trace } } } = this;
    if (trace) {
      const sizes = message.map(({ length }) => `${length ?? "no"} bytes`);
      trace(`data  receive(${this.pointer}) = [${sizes.join(", ")}]`);
    }
    if (this.sender.waits) this.#turned();
    countReceived(this.traffic, message);
  }

  /** A message was sent. */
  sent(): void {
    if (this.#reader) this.#turned();
  }

  /** A REQ or REP has done its turn: what waits for the other one can go on. */
  #turned(): void {
    if (!STATEFUL.includes(this.type)) return;
    this.core.reactor.host.soon(() => {
      if (!this.closed) this.ready();
    });
  }

  // --- for the proxy

  /** From now on, instead of this channel, `client` is told; undefined ends that. */
  divert(client: Client | undefined): void {
    this.#diverted = client;
  }

  /**
   * Sends on what was fetched ahead. Returns how many messages, or -1 if some are
   * left because `to` has no room.
   */
  forwardQueue(to: Channel): number {
    let count = 0;
    for (; this.#inbox.length > 0; count++) {
      const rc = this.core.outbox.send(to, this.#inbox.peek());
      if (rc === EAGAIN || rc === EFSM) this.core.outbox.unsent().free();
      if (rc === EAGAIN) return -1;
      if (rc < 0) throw this.error(-rc);
      countReceived(this.traffic, this.#inbox.shift());
      countSent(to.traffic, 1, rc);
    }
    return count;
  }

  // --- what the reactor tells (Client)

  ready(): void {
    if (this.#diverted) {
      this.#diverted.ready();
      return;
    }
    // Nobody waits; but a SUB, say, has to subscribe at a peer that has just come.
    if (!this.#reader && !this.sender.waits) {
      this.core.reactor.call("zw_look", this.pointer, this.type);
    }
    this.#reader?.attempt();
    this.sender.attempt();
    // What was read makes room, of which libzmq tells its other half only now.
    this.core.reactor.touch();
  }

  fail(error: Error): void {
    this.#diverted?.fail(error);
    this.#reader?.reject(error);
    this.sender.fail(error);
  }

  error(errno: number | string, message?: string): Error {
    return zmqError(
      this.core.reactor.host,
      errno,
      message === undefined ? {} : { message },
    );
  }

  busy(doing: string, operation: string): Error {
    return this.error(
      "EBUSY",
      `${this.#noun} is busy ${doing}; only one ${operation} operation ` +
        "may be in progress at any time",
    );
  }
}
