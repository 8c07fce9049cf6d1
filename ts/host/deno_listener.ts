/** LAYER 1 on Deno: its listeners as `Listener`. */
import { endpoint, release, setTimer } from "./deno_globals.ts";
import { DenoConnection } from "./deno_stream.ts";
import { EVENT_COST, turn } from "./deno_turn.ts";
import type { DenoConn, DenoListener } from "./deno_types.ts";
import type { Connection, Listener } from "./host.ts";

/** Pause after a failed accept (too many open files), which would fail again at once. */
const ACCEPT_RETRY_MS = 100;

/**
 * Listeners whose close is under way. With an accept pending Deno frees the port, and unlinks
 * the path it listened at, only turns later: a new listener must wait, or it is refused, or (at
 * that path itself, see socket_file.ts) has its file removed by the old one.
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
