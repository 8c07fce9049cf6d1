/**
 * LAYER 1 on Deno: its connections as `Connection`.
 *
 * Owns the loops that turn Deno's promises into events. What can be read and written directly
 * (deno_direct.ts) is; Deno's operations then wait for what is not there yet.
 */
import { type Copy, copyOf, giveBack, SMALL_WRITE } from "./deno_copies.ts";
import {
  descriptorOf,
  readAllNow,
  readNow,
  writeAllNow,
  writeNow,
} from "./deno_direct.ts";
import {
  endpoint,
  hasSeveralProcessors,
  queueMicrotask,
  setTimer,
  toError,
} from "./deno_globals.ts";
import { nextRound, writeBegins, writeEnds } from "./deno_rounds.ts";
import { standing } from "./deno_standing.ts";
import { turn } from "./deno_turn.ts";
import type { DenoConn } from "./deno_types.ts";
import type { Connection, ConnectionEvents, HostError } from "./host.ts";
import { MOST_LINGER_MS } from "./linger.ts";
import { Patience } from "./patience.ts";

const SMALLEST_BUFFER = 4096;
const LARGEST_BUFFER = 65536;
/** One direct read goes on for as long as the peer writes. */
const MOST_AT_ONCE = 2 ** 20;
/** Less than this Deno reads as always, with what comes after it. */
const LEAST_TARGET = 65536;

/** What is read directly and has no other place goes here: it is used up before the next read. */
let pad: Uint8Array | undefined;
/** After what belongs to a large frame only so much, which may be the begin of the next one. */
let head: Uint8Array | undefined;

export class DenoConnection implements Connection {
  local: { host: string; port: number } | undefined;
  remote: { host: string; port: number } | undefined;
  readonly #what: string;
  readonly #abort = new AbortController();
  #conn: DenoConn | undefined;
  #events: ConnectionEvents | undefined;
  #begin: () => void = () => {};
  /** Nothing is reported before `start`. */
  readonly #started = new Promise<void>((resolve) => this.#begin = resolve);
  /** What Deno reads into; only what is never read directly may go to its place instead. */
  #buffer = new Uint8Array(SMALLEST_BUFFER);
  /** Where what comes next belongs, if not into `#buffer` or the pad. */
  #target: Uint8Array | undefined;
  /** Whether the last bytes were of a large frame. */
  #large = false;
  readonly #patience = new Patience((most) => most - 2);
  /** Of `#conn`: undefined until somebody asks, null where there is none. */
  #fd: number | null | undefined;
  #reading = false;
  #paused = false;
  #ended = false;
  /** Closed by us or failed: no events any more. */
  #over = false;
  #writing: Promise<void> | undefined;
  /** What is written after the copy that is being written. */
  #next: Uint8Array | undefined;
  /** Why a write failed: told when everything was read that the peer said before it went. */
  #failure: { cause: unknown } | undefined;

  constructor(what: string, conn: DenoConn | undefined) {
    this.#what = what;
    if (conn !== undefined) this.#adopt(conn);
  }

  /** Waits for the connection that `dial` makes. */
  async dial(dial: (signal: AbortSignal) => Promise<DenoConn>): Promise<void> {
    try {
      const conn = await dial(this.#abort.signal);
      if (this.#over) {
        conn.close();
        return;
      }
      this.#adopt(conn);
    } catch (cause) {
      await this.#started;
      this.#fail(this.#abort.signal.reason ?? cause);
      return;
    }
    await this.#started;
    this.#events?.connected();
    void this.#read();
  }

  /** Instead of connecting. */
  giveUp(reason: HostError): void {
    this.#abort.abort(reason);
  }

  start(events: ConnectionEvents): void {
    if (this.#over) return;
    this.#events = events;
    this.#begin();
    // A dialled connection begins to read after `connected`. In a microtask, so that not even a
    // read that throws can call back before `start` returns.
    if (this.#conn !== undefined) queueMicrotask(() => void this.#read());
  }

  write(bytes: Uint8Array): boolean {
    const conn = this.#conn;
    // `closed` tells of the failure.
    if (this.#over || conn === undefined || this.#failure) return true;
    if (this.#writing !== undefined) {
      this.#next = bytes;
      return false;
    }
    const small = bytes.length <= SMALL_WRITE;
    // A few bytes alone are not worth opening the library.
    const written = (small && !this.#fd) || !this.isDirect
      ? 0
      : writeNow(this.#fd!, bytes);
    if (written === bytes.length) {
      const rest = turn.spend(written);
      if (rest === undefined) return true;
      this.#writing = this.#restThenDrain(rest);
      return false;
    }
    if (written > 0) bytes = bytes.subarray(written);
    if (!small) {
      this.#writing = this.#write(conn, bytes);
      return false;
    }
    this.#writing = this.#writeCopy(conn, copyOf(bytes));
    return true;
  }

  writeNow(pieces: Uint8Array[]): number {
    if (
      this.#over || this.#failure || this.#writing !== undefined ||
      !this.isDirect
    ) return 0;
    return pieces.length === 1
      ? writeNow(this.#fd!, pieces[0]!)
      : writeAllNow(this.#fd!, pieces);
  }

  /** Whether it is read and written directly. */
  get isDirect(): boolean {
    if (this.#fd === undefined && this.#conn && !this.#over) {
      this.#fd = descriptorOf(this.#conn) ?? null;
    }
    return typeof this.#fd === "number" && !this.#over;
  }

  /** Only from a task of its own: then nothing that Deno has read is still on its way to us. */
  readNow(): boolean {
    return !this.#paused && this.#reading && this.isDirect &&
      this.#readDirectly() > 0;
  }

  get #place(): Uint8Array {
    return this.#target?.subarray(0, MOST_AT_ONCE) ??
      (this.#large
        ? head ??= new Uint8Array(SMALLEST_BUFFER)
        : pad ??= new Uint8Array(LARGEST_BUFFER));
  }

  /** Returns how many bytes were there. */
  #readDirectly(): number {
    const events = this.#events;
    const places = this.#large ? events?.places() : undefined;
    if (places) {
      const size = readAllNow(this.#fd!, places);
      this.#target = events!.filled(size);
      return size;
    }
    const memory = this.#place;
    const size = readNow(this.#fd!, memory);
    if (size > 0) this.#take(memory.subarray(0, size));
    return size;
  }

  /** Nothing is there now: whether to look again, before Deno is to tell. */
  #looksAgain(): boolean {
    return hasSeveralProcessors() && this.#patience.looksAgain();
  }

  #take(bytes: Uint8Array): void {
    const placed = this.#target !== undefined;
    this.#target = this.#events?.data(bytes);
    this.#large = placed || this.#target !== undefined;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#conn !== undefined && this.#events !== undefined) {
      queueMicrotask(() => void this.#read());
    }
  }

  setNoDelay(on: boolean): void {
    this.#configure((conn) => conn.setNoDelay?.(on));
  }

  /** Deno has no way to set the idle time: the system's stays. */
  setKeepAlive(on: boolean, _idleSeconds: number): void {
    this.#configure((conn) => conn.setKeepAlive?.(on));
  }

  close(linger = MOST_LINGER_MS): void {
    if (this.#over) return;
    this.#over = true;
    this.#events = undefined;
    this.#begin();
    this.#abort.abort();
    const conn = this.#conn;
    if (conn === undefined) return;
    if (this.#writing === undefined) {
      standing.release(conn);
      return;
    }
    // Whatever the peer sends meanwhile is read and dropped: bytes left unread would turn our
    // FIN into a RST that can destroy what we sent last.
    this.#paused = false;
    void this.#read();
    const timer = setTimer(() => standing.release(conn), linger);
    void this.#writing.then(() => {
      timer.cancel();
      standing.release(conn);
    });
  }

  #adopt(conn: DenoConn): void {
    this.#conn = conn;
    standing.add(conn, this);
    conn.unref();
    this.local = endpoint(conn.localAddr);
    this.remote = endpoint(conn.remoteAddr);
    this.setNoDelay(true);
  }

  async #read(): Promise<void> {
    const conn = this.#conn;
    if (conn === undefined || this.#reading || this.#ended) return;
    this.#reading = true;
    try {
      // After `close` the loop ends by the error of a released connection.
      while (!this.#paused) {
        const target = this.#target;
        const buffer = target && target.length >= LEAST_TARGET && !this.isDirect
          ? target
          : this.#buffer;
        const count = await conn.read(buffer);
        if (count === null) {
          this.#ended = true;
          if (this.#failure) this.#fail(this.#failure.cause);
          else this.#events?.ended();
          break;
        }
        this.#take(buffer.subarray(0, count));
        const rest = nextRound() ?? turn.spend(count);
        if (rest !== undefined) await rest;
        if (buffer !== this.#buffer || count < buffer.length) continue;
        // Small messages gain nothing from it: a read has thousands of them.
        if (this.#target === undefined || !this.isDirect) {
          const size = Math.min(count * 4, LARGEST_BUFFER);
          if (size > count && !(this.#large && this.isDirect)) {
            this.#buffer = new Uint8Array(size);
          }
          continue;
        }
        // Not only until a read is short: Deno then had to tell of every second frame of 64 KB.
        while (!this.#paused && this.#large && this.isDirect) {
          const size = this.#readDirectly();
          if (size === 0) {
            if (!this.#looksAgain()) break;
            await turn.tick();
            continue;
          }
          this.#patience.came();
          // To go through bytes of large frames takes a fraction of the time.
          const rest = nextRound() ?? turn.spend(size >> 2);
          if (rest !== undefined) await rest;
        }
      }
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#reading = false;
    }
  }

  /** Writes it all; false if that failed. */
  async #writeAll(conn: DenoConn, bytes: Uint8Array): Promise<boolean> {
    try {
      let done = 0;
      writeBegins();
      try {
        do {
          done += await conn.write(done === 0 ? bytes : bytes.subarray(done));
        } while (done < bytes.length);
      } finally {
        writeEnds();
      }
      const rest = turn.spend(done);
      if (rest !== undefined) await rest;
      return true;
    } catch (cause) {
      this.#writing = undefined;
      if (this.#ended) this.#fail(cause);
      else this.#failure = { cause };
      return false;
    }
  }

  async #restThenDrain(rest: Promise<void>): Promise<void> {
    await rest;
    this.#drained();
  }

  async #write(conn: DenoConn, bytes: Uint8Array): Promise<void> {
    if (await this.#writeAll(conn, bytes)) this.#drained();
  }

  #drained(): void {
    // First, as whoever is told may well write again.
    this.#writing = undefined;
    this.#events?.drained();
  }

  async #writeCopy(conn: DenoConn, copy: Copy): Promise<void> {
    const written = await this.#writeAll(conn, copy.part);
    giveBack(copy);
    const next = this.#next;
    this.#next = undefined;
    if (!written) return;
    if (next !== undefined) await this.#write(conn, next);
    else this.#writing = undefined;
  }

  #fail(cause: unknown): void {
    if (this.#over) return; // the echo of our own close
    this.#over = true;
    const events = this.#events;
    this.#events = undefined;
    if (this.#conn !== undefined) standing.release(this.#conn);
    events?.closed(toError(this.#what, cause));
  }

  #configure(set: (conn: DenoConn) => void): void {
    if (this.#conn === undefined) return;
    try {
      set(this.#conn);
    } catch {
      // The peer is gone already; reading will say so.
    }
  }
}
