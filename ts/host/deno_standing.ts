/** LAYER 1 on Deno: which connections stand. */
import { release } from "./deno_globals.ts";
import type { DenoConn } from "./deno_types.ts";

interface Stands {
  /** Whether it can be read past Deno. */
  readonly isDirect: boolean;
  /** Reads what is there; whether something was. */
  readNow(): boolean;
}

/** The connections that stand; whoever asked for it is told once when there are none. */
class Standing {
  readonly #all = new Map<DenoConn, Stands>();
  #tasks: (() => void)[] = [];

  get size(): number {
    return this.#all.size;
  }
  whenEmpty(task: () => void): void {
    this.#tasks.push(task);
    this.#look();
  }
  get areDirect(): boolean {
    for (const connection of this.#all.values()) {
      if (!connection.isDirect) return false;
    }
    return true;
  }
  readNow(): boolean {
    let some = false;
    for (const connection of this.#all.values()) {
      if (connection.readNow()) some = true;
    }
    return some;
  }
  add(conn: DenoConn, connection: Stands): void {
    this.#all.set(conn, connection);
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
