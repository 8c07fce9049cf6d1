/**
 * One socket of libzmq as a promise-based pipe: its life, sending, receiving, waiting.
 *
 * Operations try libzmq at once (always ZMQ_DONTWAIT); one that would block parks
 * and is tried again whenever libzmq signals the socket.
 */
import { constants } from "zeromq-wasm:constants";
import type { Client } from "../reactor/reactor.ts";
import { errnoOf } from "../syscall/errno.ts";
import { type ContextCore, zmqError } from "./context.ts";
import type { Message, MessageLike } from "./message.ts";

interface Parked {
  attempt(): void;
  reject(error: Error): void;
}

const EAGAIN = -errnoOf("EAGAIN");
/** Messages fetched by one crossing, at most. */
const PREFETCH = 256;
/** A message taken ahead would change what these may do next. */
const STATEFUL = [constants["ZMQ_REQ"], constants["ZMQ_REP"]];
const RESOLVED: Promise<void> = Promise.resolve();

export class Channel implements Client {
  readonly core: ContextCore;
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
  readonly #slot: number;
  /** What to call the thing in an error. */
  readonly #noun: string;
  #reader: Parked | undefined;
  #writer: Parked | undefined;
  #diverted: Client | undefined;
  #queue: Message[][] = [];
  #queueAt = 0;
  #partial: Message[] = [];

  constructor(core: ContextCore, type: number, noun = "Socket") {
    this.core = core;
    this.#noun = noun;
    this.prefetch = STATEFUL.includes(type) ? 1 : PREFETCH;
    const { reactor, pointer } = core;
    this.#slot = reactor.add(this);
    this.pointer = reactor.call("zw_socket", pointer, type, this.#slot);
    if (this.pointer === 0) {
      reactor.remove(this.#slot);
      throw zmqError(reactor.host, reactor.call("zmq_errno"));
    }
    core.opened(this);
  }

  get closed(): boolean {
    return this.pointer === 0;
  }

  /** Whether a message can be received, sent, without waiting. */
  get readable(): boolean {
    return !this.closed &&
      (this.#queueAt < this.#queue.length || (this.#events() & 1) !== 0);
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
    const { reactor } = this.core;
    const pointer = this.pointer;
    this.pointer = 0;
    this.#queue = [];
    reactor.remove(this.#slot);
    this.core.closed(this);
    this.fail(this.#error("EAGAIN"));
    if (reactor.instance.dead) return;
    reactor.call("zmq_close", pointer);
    reactor.touch();
  }

  send(frames: readonly MessageLike[]): Promise<void> {
    if (this.#writer) throw this.#busy("writing", "send");
    const { reactor, port } = this.core;
    const rc = port.send(this.pointer, frames);
    if (rc >= 0) return this.#sent(rc);
    if (rc !== EAGAIN) return Promise.reject(this.#error(-rc));
    const parcel = port.unsent();
    const attempt = () => {
      const rc = parcel.send(this.pointer);
      if (rc === EAGAIN) return undefined;
      if (rc < 0) throw this.#error(-rc);
      return { value: undefined };
    };
    try {
      // Room may only be waiting for libzmq to look.
      reactor.pump();
      const done = this.closed ? undefined : attempt();
      if (done) {
        parcel.free();
        return this.#sent(parcel.size);
      }
    } catch (error) {
      parcel.free();
      return Promise.reject(error);
    }
    return this.#park(
      this.sendTimeout,
      (parked) => this.#writer = parked,
      attempt,
      () => {
        parcel.free();
        reactor.touch(parcel.size);
      },
    );
  }

  #sent(bytes: number): Promise<void> {
    const { reactor } = this.core;
    reactor.touch(bytes);
    return reactor.mustYield ? reactor.yield() : RESOLVED;
  }

  receive(): Promise<Message[]> {
    if (this.#reader) throw this.#busy("reading", "receive");
    const { reactor } = this.core;
    const rc = this.#fill();
    if (rc > 0) {
      const message = this.#shift();
      reactor.touch();
      return reactor.mustYield
        ? reactor.yield().then(() => message)
        : Promise.resolve(message);
    }
    if (rc < 0) return Promise.reject(this.#error(-rc));
    reactor.touch();
    return this.#park(
      this.receiveTimeout,
      (parked) => this.#reader = parked,
      () => {
        const rc = this.#fill();
        if (rc < 0) throw this.#error(-rc);
        return rc === 0 ? undefined : { value: this.#shift() };
      },
    );
  }

  #fill(): number {
    const left = this.#queue.length - this.#queueAt;
    if (left > 0) return left;
    this.#queue = [];
    this.#queueAt = 0;
    return this.core.port.receive(
      this.pointer,
      this.#queue,
      this.#partial,
      this.prefetch,
    );
  }

  #shift(): Message[] {
    const message = this.#queue[this.#queueAt]!;
    this.#queue[this.#queueAt++] = [];
    return message;
  }

  /** Waits until `attempt` has a result; `release` runs once, whatever happens. */
  #park<T>(
    timeout: number,
    place: (parked: Parked | undefined) => void,
    attempt: () => { value: T } | undefined,
    release?: () => void,
  ): Promise<T> {
    if (timeout === 0) {
      release?.();
      return Promise.reject(this.#error("EAGAIN"));
    }
    const { reactor } = this.core;
    return new Promise((resolve, reject) => {
      let timer: { cancel(): void } | undefined;
      const finish = () => {
        timer?.cancel();
        place(undefined);
        release?.();
        reactor.drop();
      };
      const parked: Parked = {
        attempt() {
          try {
            const result = attempt();
            if (result === undefined) return;
            finish();
            resolve(result.value);
          } catch (error) {
            finish();
            reject(error);
          }
        },
        reject(error) {
          finish();
          reject(error);
        },
      };
      reactor.hold();
      place(parked);
      if (timeout > 0) {
        const expired = () => parked.reject(this.#error("EAGAIN"));
        timer = reactor.host.setTimer(expired, timeout);
      }
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
    for (; this.#queueAt < this.#queue.length; count++) {
      const frames = this.#queue[this.#queueAt]!;
      const rc = this.core.port.send(to.pointer, frames);
      if (rc === EAGAIN) {
        this.core.port.unsent().free();
        return -1;
      }
      if (rc < 0) throw this.#error(-rc);
      this.#shift();
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
    if (!this.#reader && !this.#writer) {
      this.core.reactor.call("zw_events", this.pointer);
    }
    this.#reader?.attempt();
    this.#writer?.attempt();
  }

  fail(error: Error): void {
    this.#diverted?.fail(error);
    this.#reader?.reject(error);
    this.#writer?.reject(error);
  }

  #error(errno: number | string, message?: string): Error {
    return zmqError(
      this.core.reactor.host,
      errno,
      message === undefined ? {} : { message },
    );
  }

  #busy(doing: string, operation: string): Error {
    return this.#error(
      "EBUSY",
      `${this.#noun} is busy ${doing}; only one ${operation} operation ` +
        "may be in progress at any time",
    );
  }
}
