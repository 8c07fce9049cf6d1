/**
 * LAYER 1, shared by the runtimes: a byte stream between two threads as a `Connection`.
 *
 * Two rings in shared memory, one for each way, rather than a message port: a ring is its
 * own back-pressure, its bytes are copied once on each side, and Deno's channels between
 * threads neither carry ports nor keep all messages. `Atomics.waitAsync` wakes a thread;
 * waiting so keeps no process alive.
 */
import type {
  Connection,
  ConnectionEvents,
  Host,
  HostError,
  HostTimer,
} from "./host.ts";
import { MOST_LINGER_MS } from "./linger.ts";
import { hostError } from "./messages.ts";

const RESOLVED: Promise<void> = Promise.resolve();

/** Bytes of one ring: a little more than libzmq gathers for a write. */
const RING_BYTES = 131072;
/** Bytes before others get their turn; a look that finds nothing costs extra. */
const TURN_BUDGET = 512 * 1024;
const EVENT_COST = 1024;
/** How long a thread may be busy before it is taken for dead, when there is a reason to ask. */
const PROBE_MS = 5_000;

/** Words of the memory: what became of the offer, then those of each side. */
const STATE = 0, SIDE = 8, SIDES = 2;
const OFFERED = 0, ACCEPTED = 1, REFUSED = 2;
/** Of each side: changed to wake it; bytes it wrote; bytes it read; over; wants room. */
const SIGNAL = 0, WRITTEN = 1, READ = 2, ENDED = 3, WAITING = 4;
/** Also: asks whether the other side lives; the last such question it answered. */
const PROBE = 5, ANSWER = 6;
const HEADER_BYTES = 4 * SIDE * (SIDES + 1);

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
) => { async: boolean; value: unknown };
const waitAsync = (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync;

/** Whether this runtime has what the streams need. */
export const canShare: boolean = waitAsync !== undefined &&
  typeof SharedArrayBuffer === "function";

export function newMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + SIDES * RING_BYTES);
}

/** One side's view of the memory. */
class Rings {
  readonly words: Int32Array;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  readonly #mine: number;
  readonly #theirs: number;

  constructor(memory: SharedArrayBuffer, side: 0 | 1) {
    this.words = new Int32Array(memory, 0, HEADER_BYTES / 4);
    const ring = (i: number) =>
      new Uint8Array(memory, HEADER_BYTES + i * RING_BYTES, RING_BYTES);
    this.output = ring(side);
    this.input = ring(1 - side);
    this.#mine = SIDE * (side + 1);
    this.#theirs = SIDE * (2 - side);
  }

  mine(word: number): number {
    return Atomics.load(this.words, this.#mine + word);
  }
  theirs(word: number): number {
    return Atomics.load(this.words, this.#theirs + word);
  }
  setMine(word: number, value: number): void {
    Atomics.store(this.words, this.#mine + word, value);
  }

  get state(): number {
    return Atomics.load(this.words, STATE);
  }
  /** Decides about an offer; false if that was decided already. */
  decide(state: number): boolean {
    return Atomics.compareExchange(this.words, STATE, OFFERED, state) ===
      OFFERED;
  }

  #wake(side: number): void {
    Atomics.add(this.words, side + SIGNAL, 1);
    Atomics.notify(this.words, side + SIGNAL);
  }
  wake(): void {
    this.#wake(this.#mine);
  }
  wakeOther(): void {
    this.#wake(this.#theirs);
  }
  /** Waits until the signal is no longer `seen`; undefined if it is not now. */
  wait(seen: number): Promise<unknown> | undefined {
    const { async, value } = waitAsync!(this.words, this.#mine + SIGNAL, seen);
    return async ? value as Promise<unknown> : undefined;
  }

  /** Copies what there is room for; returns how much that was. */
  push(bytes: Uint8Array): number {
    const written = this.mine(WRITTEN);
    const room = RING_BYTES - ((written - this.theirs(READ)) | 0);
    const size = Math.min(room, bytes.length);
    if (size === 0) return 0;
    const at = (written >>> 0) % RING_BYTES;
    const first = Math.min(size, RING_BYTES - at);
    this.output.set(bytes.subarray(0, first), at);
    if (first < size) this.output.set(bytes.subarray(first, size), 0);
    this.setMine(WRITTEN, (written + size) | 0);
    this.wakeOther();
    return size;
  }

  /** The next bytes that arrived, in one piece of the ring. */
  peek(): Uint8Array | undefined {
    const read = this.mine(READ);
    const size = (this.theirs(WRITTEN) - read) | 0;
    if (size === 0) return undefined;
    const at = (read >>> 0) % RING_BYTES;
    return this.input.subarray(at, Math.min(at + size, RING_BYTES));
  }
  took(size: number): void {
    this.setMine(READ, (this.mine(READ) + size) | 0);
    if (this.theirs(WAITING)) this.wakeOther();
  }
}

export type StreamHost = Pick<Host, "later" | "setTimer">;

export class ThreadConnection implements Connection {
  readonly local: undefined;
  readonly remote: undefined;
  readonly #host: StreamHost;
  readonly #what: string;
  readonly #whenOver: () => void;
  #rings: Rings | undefined;
  #accepted: boolean;
  #events: ConnectionEvents | undefined;
  #running = false;
  #paused = false;
  #ended = false;
  /** The other thread is gone. */
  #lost = false;
  /** Closed by us: what is held is still sent. */
  #closing = false;
  #over = false;
  #held: Uint8Array | undefined;

  /** `whenOver` is called once when nothing will happen any more. */
  constructor(
    host: StreamHost,
    what: string,
    whenOver: () => void,
    accepted?: SharedArrayBuffer,
  ) {
    this.#host = host;
    this.#what = what;
    this.#whenOver = whenOver;
    this.#accepted = accepted !== undefined;
    if (accepted) this.#rings = new Rings(accepted, 1);
  }

  /** Takes an offer of another thread; undefined if it was withdrawn, or taken before. */
  static accept(
    host: StreamHost,
    what: string,
    whenOver: () => void,
    memory: SharedArrayBuffer,
  ): ThreadConnection | undefined {
    const rings = new Rings(memory, 1);
    if (!rings.decide(ACCEPTED)) return undefined;
    rings.wakeOther();
    return new ThreadConnection(host, what, whenOver, memory);
  }

  static refuse(memory: SharedArrayBuffer): void {
    const rings = new Rings(memory, 1);
    if (rings.decide(REFUSED)) rings.wakeOther();
  }

  /** Whether nobody has accepted yet: another may be offered the connection. */
  get waiting(): boolean {
    return !this.#over && !this.#closing &&
      (this.#rings === undefined || this.#rings.state === OFFERED);
  }

  /** Waits for the thread that is given this memory, no longer for the one before. */
  offer(memory: SharedArrayBuffer): void {
    const before = this.#rings;
    if (before && !before.decide(REFUSED)) return;
    this.#rings = new Rings(memory, 0);
    before?.wake();
    this.#begin();
  }

  /** The other thread has ended. */
  lose(): void {
    this.#lost = true;
    this.#rings?.wake();
  }

  /** Asks the other thread for a sign of life; without one the connection is lost. */
  probe(): void {
    const rings = this.#rings;
    if (!rings || !this.#accepted || this.#over || this.#probed) return;
    const question = rings.mine(PROBE) + 1;
    rings.setMine(PROBE, question);
    rings.wakeOther();
    this.#probed = this.#host.setTimer(() => {
      this.#probed = undefined;
      if (rings.theirs(ANSWER) !== question) this.lose();
    }, PROBE_MS);
  }
  #probed: HostTimer | undefined;

  /** This thread ends at once. */
  abandon(): void {
    if (!this.#rings?.decide(REFUSED)) this.#rings?.setMine(ENDED, 1);
    this.#rings?.wakeOther();
  }

  start(events: ConnectionEvents): void {
    this.#events = events;
    this.#begin();
  }

  write(bytes: Uint8Array): boolean {
    const rings = this.#rings;
    if (!rings || this.#over || rings.theirs(ENDED)) return true;
    const size = rings.push(bytes);
    if (size === bytes.length) return true;
    this.#held = bytes.subarray(size);
    rings.setMine(WAITING, 1);
    rings.wake(); // room made before WAITING was set went unnoticed
    return false;
  }

  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    this.#rings?.wake();
  }
  setNoDelay(): void {}
  setKeepAlive(): void {}

  /** As for libzmq inproc has no linger: the other thread may be busy. */
  close(): void {
    if (this.#closing || this.#over) return;
    this.#closing = true;
    this.#events = undefined;
    const rings = this.#rings;
    if (!rings || rings.decide(REFUSED) || !this.#held) {
      rings?.setMine(ENDED, 1);
      rings?.wakeOther();
      this.#finish();
      return;
    }
    this.#linger = this.#host.setTimer(() => this.#finish(), MOST_LINGER_MS);
    this.#begin();
    rings.wake();
  }
  #linger: HostTimer | undefined;

  #finish(error?: HostError): void {
    if (this.#over) return;
    this.#over = true;
    this.#linger?.cancel();
    this.#probed?.cancel();
    this.#rings?.setMine(ENDED, 1);
    this.#rings?.wakeOther();
    this.#rings?.wake(); // ends the loop
    const events = this.#events;
    this.#events = undefined;
    this.#held = undefined;
    this.#whenOver();
    if (error) events?.closed(error);
  }

  #begin(): void {
    if (this.#running || !this.#rings || !(this.#events || this.#closing)) {
      return;
    }
    this.#running = true;
    // In a microtask: a call of the module may be under way.
    void RESOLVED.then(() => this.#run());
  }

  async #run(): Promise<void> {
    let budget = TURN_BUDGET;
    while (!this.#over) {
      const rings = this.#rings!;
      const seen = rings.mine(SIGNAL);
      budget -= this.#serve(rings, budget) + EVENT_COST;
      if (this.#over) break;
      if (budget <= 0) {
        await new Promise<void>((resolve) => this.#host.later(resolve));
        budget = TURN_BUDGET;
        continue;
      }
      const changed = rings === this.#rings ? rings.wait(seen) : undefined;
      if (changed) await changed;
    }
  }

  /** Does what can be done; returns the bytes that moved. */
  #serve(rings: Rings, budget: number): number {
    if (rings.state === REFUSED && rings === this.#rings) {
      this.#finish(hostError(this.#what, "ECONNREFUSED"));
      return 0;
    }
    if (rings.state === ACCEPTED && !this.#accepted) {
      this.#accepted = true;
      this.#events?.connected();
    }
    const question = rings.theirs(PROBE);
    if (question !== rings.mine(ANSWER)) rings.setMine(ANSWER, question);
    const moved = this.#send(rings);
    if (this.#closing && !this.#held) this.#finish();
    return this.#over ? moved : moved + this.#receive(rings, budget);
  }

  #send(rings: Rings): number {
    if (!this.#held) return 0;
    const gone = rings.theirs(ENDED) !== 0;
    const size = gone ? this.#held.length : rings.push(this.#held);
    if (size < this.#held.length) {
      this.#held = this.#held.subarray(size);
      return size;
    }
    this.#held = undefined;
    rings.setMine(WAITING, 0);
    this.#events?.drained();
    return size;
  }

  #receive(rings: Rings, budget: number): number {
    // Looked at first: nothing is written after it.
    const over = this.#lost || rings.theirs(ENDED) !== 0;
    let moved = 0;
    while (!this.#over && (!this.#paused || this.#closing)) {
      const bytes = rings.peek();
      if (!bytes) {
        if (over) this.#end();
        break;
      }
      if (moved >= budget) break;
      this.#events?.data(bytes);
      moved += bytes.length;
      rings.took(bytes.length);
    }
    return moved;
  }

  #end(): void {
    if (this.#lost) this.#finish(hostError(this.#what, "ECONNRESET"));
    else if (!this.#ended) {
      this.#ended = true;
      this.#events?.ended();
    }
  }
}
