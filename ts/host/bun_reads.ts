/**
 * Reads of busy connections on Bun, by their descriptors.
 *
 * Bun reads 512 KB at a time into new memory, up to ten times in a row and also when its socket
 * was paused meanwhile: of 25 busy connections 100 MB before any timer. So what a busy
 * connection has is read here, a little in each turn of the event loop and straight to its
 * place, while Bun's own reads are off; they are on when nothing more is there. Where large
 * frames come, more comes soon, and is looked for a few times before: else half of the bytes of
 * 1 MB frames were copied once more, out of what Bun had read, and a sixth of those of 64 KB. Nor
 * does Bun read during a pause: messages of 1 KB, 948 -> 1168 thousand a second.
 */
import type * as net from "node:net";
import { handleOf } from "./node_descriptors.ts";
import type { Places } from "./node_reads.ts";
import { setImmediate } from "./node_timers.ts";
import { Patience } from "./patience.ts";

/** A connection of which Bun has read so much is busy. */
const BUSY = 32768;
/** Bytes read in a row: of one connection, and of all that wait for a turn. One read goes on
 * for as long as the peer writes. */
const MOST = 2 ** 20, MOST_OF_ALL = 2 ** 21;

/**
 * Busy connections that wait for the next turn, the longest waiting first. The turn's immediate
 * is referenced: Bun forgets another one when nothing else keeps the process alive.
 */
let waiting: BusyReads[] = [];

function readAll(): void {
  const connections = waiting;
  waiting = [];
  let at = 0;
  for (let left = MOST_OF_ALL; left > 0 && at < connections.length;) {
    left -= connections[at++]!.go(Math.min(left, MOST));
  }
  const before = waiting.length;
  waiting = [...connections.slice(at), ...waiting];
  // Who began to wait meanwhile has seen to it.
  if (before === 0 && waiting.length > 0) setImmediate(readAll);
}

export class BusyReads {
  readonly #socket: net.Socket;
  readonly #places: Places;
  readonly #fd: () => number | undefined;
  #paused = false;
  /** Bun's own reads are off. */
  #ours = false;
  #waits = false;
  readonly #patience = new Patience((most) => most >> 1);

  /** `fd` gives the descriptor of the socket for as long as it is open. */
  constructor(
    socket: net.Socket,
    places: Places,
    fd: () => number | undefined,
  ) {
    this.#socket = socket;
    this.#places = places;
    this.#fd = fd;
  }

  /** What Bun has read. */
  data(bytes: Uint8Array): void {
    this.#places.take(bytes);
    if (bytes.length >= BUSY) this.#read(MOST);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
    this.#ours = true;
    this.#turnOff();
  }

  resume(): void {
    this.#paused = false;
    this.#wait();
  }

  /** Reads up to `most` bytes, if it still may; returns how many. */
  go(most: number): number {
    this.#waits = false;
    this.#turnOff();
    return this.#read(most);
  }

  /** The stream reads ahead of its own pause, the socket below it does not: until it is told. */
  #turnOff(): void {
    if (this.#ours && this.#fd() !== undefined) {
      handleOf(this.#socket)?.pause?.();
    }
  }

  #read(most: number): number {
    let left = most;
    while (!this.#paused) {
      const fd = this.#fd();
      // It is over, or an older Bun, which does not tell: that reads by itself.
      if (fd === undefined) {
        this.#giveBack();
        break;
      }
      if (left <= 0) {
        this.#goOnLater();
        break;
      }
      // What came during a pause goes first.
      if (this.#socket.readableLength > 0) {
        this.#giveBack();
        break;
      }
      // Bun finds the end too.
      const size = this.#places.read(fd, this.#failed);
      left -= size < 0 ? -1 - size : size;
      if (size < 0) {
        if (this.#looksOn(size < -1)) this.#goOnLater();
        else this.#giveBack();
        break;
      }
    }
    return most - left;
  }

  /** In the next turn of the event loop; until then Bun's own reads are off. */
  #goOnLater(): void {
    if (!this.#ours) this.#socket.pause();
    this.#ours = true;
    this.#turnOff();
    this.#wait();
  }

  /** There is nothing more now: whether to look again. */
  #looksOn(came: boolean): boolean {
    if (came) this.#patience.came();
    return this.#places.areLarge && !this.#paused &&
      this.#patience.looksAgain();
  }

  /** A read that failed ends the connection: Bun, which asks again, would be told of an end. */
  readonly #failed = (cause: unknown): void => {
    this.#socket.destroy(cause as Error);
  };

  #giveBack(): void {
    if (!this.#ours || this.#paused) return;
    this.#ours = false;
    handleOf(this.#socket)?.resume?.();
    this.#socket.resume();
  }

  #wait(): void {
    if (this.#waits) return;
    this.#waits = true;
    if (waiting.push(this) === 1) setImmediate(readAll);
  }
}
