/**
 * LAYER 1 on Deno: its connections and listeners as `Connection` and `Listener`.
 *
 * Owns the loops that turn Deno's promises into events, and their fairness: an operation that
 * is ready resolves within the same drain of microtasks, so an unchecked loop would keep
 * timers, `soon` and all other connections waiting.
 */
import { type Copy, copyOf, giveBack, SMALL_WRITE } from "./deno_copies.ts";
import { toHostError } from "./deno_errors.ts";
import { nextRound, writeBegins, writeEnds } from "./deno_rounds.ts";
import type {
  DenoApi,
  DenoConn,
  DenoGlobals,
  DenoListener,
  NetAddr,
} from "./deno_types.ts";
import type {
  Connection,
  ConnectionEvents,
  HostError,
  HostTimer,
  Listener,
} from "./host.ts";

export const globals = globalThis as unknown as DenoGlobals;
// Undefined on other runtimes, where this file may be bundled but `denoHost` is not called.
export const deno: DenoApi = globals.Deno;

const SMALLEST_BUFFER = 4096;
const LARGEST_BUFFER = 65536;
/** Bytes per turn of the event loop before a loop lets others run; an event costs 1 KiB extra. */
const TURN_BUDGET = 512 * 1024;
const EVENT_COST = 1024;
/** How long a closed connection may try to send what it still holds. */
const LINGER_MS = 30_000;
/** Pause after a failed accept (too many open files), which would fail again at once. */
const ACCEPT_RETRY_MS = 100;

export const toError = (what: string, cause: unknown): HostError =>
  toHostError(what, cause, deno.build.os);

/** What was done since the event loop last turned, or somewhat earlier, over all connections. */
export const turn = {
  left: TURN_BUDGET,
  armed: false,
  /** Undefined while there is budget, else a promise of a later turn. */
  spend(bytes: number): Promise<void> | undefined {
    // A conversation should not pay for a tick in each turn.
    if (!this.armed && this.left < TURN_BUDGET * 3 / 4) {
      this.armed = true;
      // Ticks run only once the microtasks are through: then the budget is new.
      globals.process.nextTick(() => {
        this.armed = false;
        this.left = TURN_BUDGET;
      });
    }
    this.left -= bytes + EVENT_COST;
    if (this.left > 0) return undefined;
    return new Promise((resolve) => globals.setImmediate(resolve));
  },
};

/** The connections that stand; whoever asked for it is told once when there are none. */
class Standing {
  readonly #all = new Set<DenoConn>();
  #tasks: (() => void)[] = [];

  get size(): number {
    return this.#all.size;
  }
  whenEmpty(task: () => void): void {
    this.#tasks.push(task);
    this.#look();
  }
  add(conn: DenoConn): void {
    this.#all.add(conn);
  }
  release(conn: DenoConn): void {
    release(conn);
    this.#all.delete(conn);
    this.#look();
  }
  #look(): void {
    if (this.#all.size === 0) {
      for (const task of this.#tasks.splice(0)) {
        task();
      }
    }
  }
}

export const standing: Standing = new Standing();

export function setTimer(task: () => void, ms: number): HostTimer {
  const timer = globals.setTimeout(task, ms);
  deno.unrefTimer(timer);
  return { cancel: () => globals.clearTimeout(timer) };
}

function endpoint(addr: NetAddr) {
  return addr.hostname === undefined || addr.port === undefined
    ? undefined
    : { host: addr.hostname, port: addr.port };
}

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
  #buffer = new Uint8Array(SMALLEST_BUFFER);
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
      this.#fail(cause);
      return;
    }
    await this.#started;
    this.#events?.connected();
    void this.#read();
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
    if (bytes.length > SMALL_WRITE) {
      this.#writing = this.#write(conn, bytes);
      return false;
    }
    this.#writing = this.#writeCopy(conn, copyOf(bytes));
    return true;
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

  close(): void {
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
    const linger = setTimer(() => standing.release(conn), LINGER_MS);
    void this.#writing.then(() => {
      linger.cancel();
      standing.release(conn);
    });
  }

  #adopt(conn: DenoConn): void {
    this.#conn = conn;
    standing.add(conn);
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
      let target: Uint8Array | undefined;
      while (!this.#paused) {
        const buffer = target ?? this.#buffer;
        const count = await conn.read(buffer);
        if (count === null) {
          this.#ended = true;
          if (this.#failure) this.#fail(this.#failure.cause);
          else this.#events?.ended();
          break;
        }
        if (
          buffer === this.#buffer && count === buffer.length &&
          count < LARGEST_BUFFER
        ) this.#buffer = new Uint8Array(Math.min(count * 4, LARGEST_BUFFER));
        target = this.#events?.data(buffer.subarray(0, count));
        const rest = nextRound() ?? turn.spend(count);
        if (rest !== undefined) await rest;
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

  async #write(conn: DenoConn, bytes: Uint8Array): Promise<void> {
    if (!await this.#writeAll(conn, bytes)) return;
    // Before `drained`, which may well write again.
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

/** Closes, also what is closed already. */
export function release(resource: { close(): void }): void {
  try {
    resource.close();
  } catch {
    // Only BadResource is possible: closed before.
  }
}

/**
 * Listeners whose close is under way. With an accept pending Deno frees the port, and unlinks
 * the socket's path, only turns later: a new listener must wait, or it is refused, or (ipc) has
 * its file removed by the old one.
 */
const closing = new Set<Promise<void>>();

export async function closedListeners(): Promise<void> {
  await Promise.all(closing);
}

export class DenoStreamListener implements Listener {
  readonly local: { host: string; port: number } | undefined;
  readonly #listener: DenoListener;
  readonly #what: string;
  #closed = false;
  #accepting: Promise<void> | undefined;

  constructor(listener: DenoListener, what: string) {
    this.#listener = listener;
    this.#what = what;
    listener.unref();
    this.local = endpoint(listener.addr);
  }

  start(onConnection: (connection: Connection) => void): void {
    this.#accepting = this.#accept(onConnection);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    release(this.#listener);
    const ending = this.#accepting;
    if (ending === undefined) return;
    closing.add(ending);
    void ending.finally(() => closing.delete(ending));
  }

  async #accept(onConnection: (connection: Connection) => void): Promise<void> {
    while (!this.#closed) {
      let conn: DenoConn;
      try {
        conn = await this.#listener.accept();
      } catch {
        if (this.#closed) return;
        await new Promise<void>((resolve) =>
          setTimer(resolve, ACCEPT_RETRY_MS)
        );
        continue;
      }
      if (this.#closed) {
        release(conn);
        return;
      }
      onConnection(new DenoConnection(this.#what, conn));
      const rest = turn.spend(EVENT_COST);
      if (rest !== undefined) await rest;
    }
  }
}
