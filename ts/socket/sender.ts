/** The sending half of a channel. */
import * as C from "zeromq-wasm:constants";
import type { Channel } from "./channel.ts";
import { countSent } from "./counters.ts";
import type { MessageLike } from "./message.ts";
import type { Recipient } from "./outbox.ts";
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

/** They send each message to another peer, and wait where there is no room. */
const SPREADS = [
  C.ZMQ_PUSH,
  C.ZMQ_DEALER,
  C.ZMQ_SCATTER,
];
/** A message of theirs may go to many peers. */
const SHARED = [
  C.ZMQ_PUB,
  C.ZMQ_XPUB,
  C.ZMQ_RADIO,
];
const RESOLVED: Promise<void> = Promise.resolve();

export interface SendOptions extends Wait, Recipient {}

export class Sender {
  readonly #channel: Channel;
  #writer: Parked<void> | undefined;
  /** Whether it sends each message to another peer. */
  readonly #spreads: boolean;
  /** Whether only one peer gets a message. */
  readonly #lends: boolean;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#spreads = SPREADS.includes(channel.type);
    this.#lends = !SHARED.includes(channel.type);
  }

  /** Whether a message waits to be sent. */
  get waits(): boolean {
    return this.#writer !== undefined;
  }

  /**
   * Whether what was just sent has nothing to leave with, and need not wait for it: a REQ waits
   * for the reply now, and a REP for a request, if there was none when the last one came. With
   * that a round trip takes a tenth less.
   */
  get #alone(): boolean {
    const { type, waited, core } = this.#channel;
    return (type === C.ZMQ_REQ || (type === C.ZMQ_REP && waited)) &&
      !core.reactor.isCrowded;
  }

  attempt(): void {
    this.#writer?.attempt();
  }

  fail(error: Error): void {
    this.#writer?.reject(error);
  }

  send(
    frames: readonly MessageLike[],
    options: SendOptions = NO_WAIT,
  ): Promise<void> {
    const channel = this.#channel;
    if (this.#writer) throw channel.busy("writing", "send");
    const { signal } = options;
    if (isAborted(signal)) return Promise.reject(signal!.reason);
    const { reactor, outbox } = channel.core;
    const rc = outbox.send(
      channel,
      frames,
      channel.type === C.ZMQ_SERVER || channel.type === C.ZMQ_RADIO
        ? options
        : undefined,
      this.#lends,
    );
    // What is lent and can be written at once is never copied.
    if (rc >= 0) this.#note(rc, 1, outbox.lent || this.#alone);
    if (outbox.lent) outbox.settle();
    if (rc >= 0) return this.takeTurns();
    if (rc !== EAGAIN && rc !== EFSM) return Promise.reject(channel.error(-rc));
    const parcel = outbox.unsent();
    // What a frame's `toString` has sent meanwhile may wait now.
    if (this.#writer) {
      parcel.free();
      throw channel.busy("writing", "send");
    }
    let last = rc;
    const attempt = () => {
      last = parcel.send(channel.pointer);
      if (last === EAGAIN || last === EFSM) return NOT_YET;
      if (last < 0) throw channel.error(-last);
    };
    try {
      // Room may only be waiting for libzmq to look.
      reactor.pump();
      if (!channel.closed && attempt() !== NOT_YET) {
        parcel.free();
        this.#note(parcel.size);
        return this.takeTurns();
      }
    } catch (error) {
      parcel.free();
      return Promise.reject(error);
    }
    const operation: Operation<void> = {
      place: (parked) => this.#writer = parked,
      attempt,
      expired: () => channel.error(-last),
      release: (done) => {
        parcel.free();
        if (done) this.#note(parcel.size);
      },
    };
    const owner = channel.owner?.deref();
    return park(reactor, operation, channel.sendTimeout, signal, owner);
  }

  /**
   * Sends messages of one small frame each, from `start` on, as many as one crossing takes.
   * Returns how many: none where `send` has to wait, or fails.
   */
  sendMany(frames: readonly Uint8Array[], start: number): number {
    const channel = this.#channel;
    if (this.#writer) throw channel.busy("writing", "send");
    const count = channel.core.outbox.sendMany(channel.pointer, frames, start);
    let bytes = 0;
    for (let i = start; i < start + count; i++) bytes += frames[i]!.length;
    if (count > 0) this.#note(bytes, count);
    return count;
  }

  /** For who has sent: resolves when the rest of the program had its turn, if it needs one. */
  takeTurns(): Promise<void> {
    const { reactor } = this.#channel.core;
    return reactor.mustYield ? reactor.yieldSender() : RESOLVED;
  }

  #note(bytes: number, messages = 1, now = false): void {
    const channel = this.#channel;
    countSent(channel.traffic, messages, bytes);
    channel.sent();
    channel.core.reactor.sent(bytes, messages, this.#spreads, now);
  }
}
