/**
 * Messages on their way out of the module: one crossing fetches many, and they wait
 * here until they are asked for.
 */
import * as C from "zeromq-wasm:constants";
import type { Reactor } from "../reactor/reactor.ts";
import { isOutside } from "../syscall/bodies.ts";
import { BATCH_BYTES, copyOf, type Message, ownCopy, wrap } from "./message.ts";

/** Headers of packed frames, see zw_recv in wasm/messages.cpp. */
const MORE = 0x80000000, BY_POINTER = 0x40000000, SIZE = 0x3fffffff;
/**
 * Properties of so many connections are kept, of so many characters, and those of messages that
 * still wait. More that are in use at once would be asked for again and again; but peers say up
 * to 64 KB, and go.
 */
const MOST_PROPERTIES = 32768, MOST_CHARACTERS = 2 ** 23;

/**
 * Who keeps a frame keeps its buffer: it is shared by so many frames of the same size, and by
 * more only where they are small.
 */
const MOST_FRAMES = 64, LEAST_SHARED = 8192;

/** What libzmq knows of the connection a message came by (man zmq_msg_gets). */
export type Properties = Readonly<Record<string, string>>;
const NONE: Properties = Object.freeze({});
/**
 * Empty, and nothing is added to them. They once had an element, so that JavaScriptCore takes
 * them for arrays like the full ones: else it threw away what it had compiled, up to seven times.
 */
const NO_FRAMES: Message[] = [];
const NO_MESSAGES = [NO_FRAMES], NO_IDS = [0];
NO_MESSAGES.length = NO_IDS.length = 0;

/** From whom a draft socket received a message; the second element of it. */
export interface Origin {
  routingId?: number;
  group?: Message;
}

export class Inbox {
  readonly #reactor: Reactor;
  readonly #type: number;
  readonly #scratch: number;
  #messages = NO_MESSAGES;
  /** For each message, and then for `#partial`, the id of its connection's properties. */
  #ids = NO_IDS;
  #at = 0;
  #ownBytes: number;
  /** While a batch is unpacked: where it ends. */
  #end = 0;
  /** The copy of what is before `#until`, and where in its buffer address 0 would be. */
  #shared: Uint8Array | undefined;
  #until = 0;
  #base = 0;
  /** Frames of a message whose rest comes with the next call. */
  #partial: Message[] | undefined;
  /** Why the message that is being unpacked cannot be received: a frame had no room. */
  #lost: unknown;
  /** The same of one that was, until it is told. */
  #failure: unknown;
  readonly #properties = new Map<number, { from: Properties; size: number }>();
  /** Characters of them all. */
  #characters = 0;
  /** What was last asked for, as it was told and as it is kept. */
  #text = "";
  #learned = NONE;

  constructor(reactor: Reactor, type: number, scratch: number) {
    this.#reactor = reactor;
    this.#type = type;
    this.#scratch = scratch;
    this.#ownBytes = reactor.host.ownBytes ?? 0;
  }

  /** Messages that wait here. */
  get length(): number {
    return this.#messages.length - this.#at;
  }

  clear(): void {
    this.#messages = NO_MESSAGES;
    this.#ids = this.#partial ? this.#ids.slice(-1) : NO_IDS;
    this.#at = 0;
  }

  /**
   * A SUB or DISH wants less than before: libzmq looks when a message is received, and these
   * are already.
   */
  unsubscribed(socket: number): void {
    if (this.#type !== C.ZMQ_SUB && this.#type !== C.ZMQ_DISH) return;
    const longest = this.#reactor.call("zw_longest_topic");
    const messages: Message[][] = [], ids: number[] = [];
    for (let i = this.#at; i < this.#messages.length; i++) {
      if (!this.#wants(socket, this.#messages[i]!, longest)) continue;
      messages.push(this.#messages[i]!);
      ids.push(this.#ids[i]!);
    }
    if (this.#partial) ids.push(this.#ids.at(-1)!);
    this.#messages = messages.length > 0 ? messages : NO_MESSAGES;
    this.#ids = ids.length > 0 ? ids : NO_IDS;
    this.#at = 0;
  }

  #wants(socket: number, message: Message[], longest: number): boolean {
    const { memory } = this.#reactor.instance;
    const { group } = message.at(-1) as Origin;
    return memory.withBytes(
      group ? Uint8Array.of(...group, 0) : message[0]!.subarray(0, longest),
      (at, size) =>
        this.#reactor.call("zw_wants", socket, this.#type, at, size) !== 0,
    );
  }

  /** Takes the oldest message; there is one. */
  shift(): Message[] {
    const message = this.#messages[this.#at]!;
    this.#messages[this.#at++] = NO_FRAMES;
    return message;
  }

  /** The oldest message, which stays. */
  peek(): Message[] {
    return this.#messages[this.#at]!;
  }

  /** What is known of the connection by which the oldest message came. */
  properties(): Properties {
    return this.#properties.get(this.#ids[this.#at]!)?.from ?? NONE;
  }

  /** Takes up to `max` messages. */
  take(max: number): Message[][] {
    const end = Math.min(this.#at + max, this.#messages.length);
    if (this.#at === 0 && end === this.#messages.length) {
      const all = this.#messages;
      this.clear();
      return all;
    }
    const some = this.#messages.slice(this.#at, end);
    this.#at = end;
    return some;
  }

  /** Takes up to `max` messages, also of those that one crossing did not fetch. */
  takeMany(socket: number, max: number, prefetch: number): Message[][] {
    const messages = this.take(max);
    try {
      // Nothing waits here then.
      while (
        prefetch > 1 && messages.length < max && this.fill(socket, prefetch) > 0
      ) messages.push(...this.take(max - messages.length));
    } catch (error) {
      this.#failure = error; // later: these are taken
    }
    return messages;
  }

  /**
   * Fetches up to `max` messages if none waits. Returns how many wait now, or a
   * negative errno. Throws, once, for a message for which there was no room.
   */
  fill(socket: number, max: number): number {
    const left = this.length;
    if (left > 0) return left;
    this.clear();
    for (;;) {
      this.#tell();
      const used = this.#crossing(socket, max);
      if (used <= 0) return used;
      this.#unpack(used);
      this.#tell();
      // A message may be larger than a batch, and nothing announces its rest.
      if (this.#messages.length > 0) return this.#messages.length;
    }
  }

  #tell(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  #crossing(socket: number, max: number): number {
    const reactor = this.#reactor;
    try {
      // Not through `reactor.call`, whose cost would show here.
      return reactor.instance.exports.zw_recv!(
        socket,
        this.#scratch,
        BATCH_BYTES,
        max,
        this.#type,
        this.#partial ? 1 : 0,
      );
    } catch (error) {
      throw reactor.died(error);
    }
  }

  /** Takes what `zw_recv` wrote. */
  #unpack(used: number): void {
    const { memory } = this.#reactor.instance;
    const start = this.#scratch;
    const draft = this.#type === C.ZMQ_SERVER || this.#type === C.ZMQ_DISH;
    const known = this.#ids.length;
    let origin: Origin | undefined;
    let frames = this.#partial;
    this.#end = start + used;
    this.#until = 0;
    for (let at = start; at < this.#end;) {
      if (frames === undefined) {
        if (draft) {
          const word = memory.words[at >> 2]!;
          at += 8;
          if (this.#type === C.ZMQ_SERVER) origin = { routingId: word };
          else {
            origin = { group: this.#frame(at, word) };
            at += padded(word);
          }
        }
        const id = memory.words[at >> 2]!;
        if (this.#ids.length === 0) this.#ids = [id];
        else this.#ids.push(id);
      }
      const header = memory.words[(at >> 2) + 1]!;
      at += 8;
      let frame: Message;
      if (header & BY_POINTER) {
        frame = this.#fetchOrLose(memory.words[at >> 2]!);
        at += 8;
      } else {
        const size = header & SIZE;
        frame = this.#frame(at, size);
        at += padded(size);
      }
      // Most messages are one frame, and most waits are for one message: `push` would make
      // room for 17.
      if (frames === undefined) frames = [frame];
      else frames.push(frame);
      if (header & MORE) continue;
      if (this.#lost !== undefined) {
        this.#failure ??= this.#lost;
        this.#lost = frames = undefined;
        this.#ids.pop();
        continue;
      }
      if (origin) (frames as (Message | Origin)[]).push(origin);
      if (this.#messages.length === 0) this.#messages = [frames];
      else this.#messages.push(frames);
      frames = undefined;
    }
    this.#partial = frames;
    this.#shared = undefined;
    // Only now, because what is learned is written where the batch was.
    for (let i = known; i < this.#ids.length; i++) {
      const id = this.#ids[i]!;
      if (id !== 0 && !this.#properties.has(id)) this.#learn(id);
    }
  }

  /**
   * The frame that `zw_recv` wrote at `at`: by itself where that is best, where no other follows,
   * and where what others share is too large for it; else a view of one copy of some.
   */
  #frame(at: number, size: number): Message {
    const { bytes } = this.#reactor.instance.memory;
    if (size <= this.#ownBytes) return ownCopy(bytes, at, size);
    const most = Math.max(LEAST_SHARED, size * MOST_FRAMES);
    if (at + size > this.#until) {
      if (at + padded(size) >= this.#end) {
        return this.#copy(at, at + size) as Message;
      }
      this.#until = Math.min(this.#end, at + most);
      this.#shared = this.#copy(at, this.#until);
      this.#base = this.#shared.byteOffset - at;
      if (this.#reactor.host.keep?.(this.#shared.buffer) === false) {
        this.#ownBytes = BATCH_BYTES;
        return ownCopy(bytes, at, size);
      }
    } else if (this.#shared!.length > most) {
      return this.#copy(at, at + size) as Message; // that of larger ones
    }
    return wrap(this.#shared!.buffer, this.#base + at, size);
  }

  #copy(at: number, end: number): Uint8Array {
    const { allocateBatch, memory } = this.#reactor.instance;
    return copyOf(memory.bytes, at, end, allocateBatch);
  }

  /** A frame that the batch has a pointer to; empty if there is no room for it. */
  #fetchOrLose(msg: number): Message {
    try {
      return this.#fetch(msg);
    } catch (error) {
      if (this.#reactor.instance.dead) throw error;
      this.#lost ??= error;
      return wrap(new ArrayBuffer(0), 0, 0);
    }
  }

  #fetch(msg: number): Message {
    const reactor = this.#reactor;
    const data = reactor.call("zmq_msg_data", msg) >>> 0;
    if (isOutside(data)) return this.#fetchBody(msg, data);
    const size = reactor.call("zmq_msg_size", msg) >>> 0;
    try {
      const { allocate, memory } = reactor.instance;
      return whole(allocate(size, memory.bytes.subarray(data, data + size)));
    } finally {
      reactor.call("zw_msg_free", msg);
    }
  }

  /** What only this message needed becomes the program's; else it gets a copy. */
  #fetchBody(msg: number, data: number): Message {
    const { bodies, allocate } = this.#reactor.instance;
    const body = bodies.at(data);
    try {
      bodies.own(body, 0);
      body.given = true;
    } finally {
      this.#reactor.call("zw_msg_free", msg);
    }
    const { bytes } = body;
    // The host may read on from what libzmq needs no more.
    if (!bodies.has(body) && body.writes === 0) return whole(bytes);
    body.given = false;
    return whole(allocate(bytes.length, bytes));
  }

  /** Asks for the properties of a connection not seen before. */
  #learn(id: number): void {
    const { memory } = this.#reactor.instance;
    const known = this.#properties;
    if (
      known.size >= MOST_PROPERTIES || this.#characters >= MOST_CHARACTERS
    ) {
      const needed = new Set(this.#ids);
      for (const [old, { size }] of known) {
        if (needed.has(old)) continue;
        known.delete(old);
        this.#characters -= size;
      }
    }
    // What `zw_recv` wrote there has been taken.
    const size = this.#reactor.call(
      "zw_properties",
      id,
      this.#scratch,
      BATCH_BYTES,
    );
    const text = memory.text(this.#scratch, size);
    // Often those of the connection before.
    if (text !== this.#text) {
      const words = text.split("\0");
      const properties: Record<string, string> = {};
      for (let i = 0; i + 1 < words.length; i += 2) {
        properties[words[i]!] = words[i + 1]!;
      }
      this.#text = text;
      this.#learned = Object.freeze(properties);
    }
    known.set(id, { from: this.#learned, size: text.length });
    this.#characters += text.length;
  }
}

/** What `zw_recv` writes begins at multiples of 8. */
function padded(size: number): number {
  return (size + 7) & ~7;
}

/** All of these bytes as a frame. */
function whole({ buffer, byteOffset, length }: Uint8Array): Message {
  return wrap(buffer, byteOffset, length);
}
