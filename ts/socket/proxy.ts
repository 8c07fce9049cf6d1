/**
 * Joins two sockets: whatever one receives the other sends (man zmq_proxy).
 */
import { codeOf } from "../syscall/errno.ts";
import { zmqError } from "./context.ts";
import { setName } from "./define_options.ts";
import { type Internals, internalsOf } from "./internals.ts";
import { Socket } from "./socket.ts";

/** Messages moved per direction before the other direction gets its turn. */
const SHARE = 256;

/**
 * Moves messages both ways between two sockets of one context until it is
 * terminated. Messages never enter JavaScript.
 *
 * @example
 * const front = new Router(), back = new Dealer();
 * await front.bind("tcp://*:5555");
 * await back.bind("inproc://workers");
 * const proxy = new Proxy(front, back);
 * const running = proxy.run();
 * // …
 * proxy.terminate();
 * await running;
 */
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  readonly frontEnd: F;
  readonly backEnd: B;
  #running: Running | undefined;

  /** @throws TypeError if an end is no socket */
  constructor(frontEnd: F, backEnd: B) {
    if (!(frontEnd instanceof Socket)) {
      throw new TypeError("Front-end must be a socket object");
    }
    if (!(backEnd instanceof Socket)) {
      throw new TypeError("Back-end must be a socket object");
    }
    this.frontEnd = frontEnd;
    this.backEnd = backEnd;
  }

  /**
   * Runs until `terminate()`; then both sockets are closed. Neither can be used
   * otherwise meanwhile, and to close one has no effect before. Keeps the process alive.
   * @throws ZmqError EINVAL if an end is neither bound nor connected, or if both are
   *   of different contexts
   */
  run(): Promise<void> {
    const front = internalsOf(this.frontEnd), back = internalsOf(this.backEnd);
    const { host } = front.channel.core.reactor;
    const check = (ok: boolean, message: string) => {
      if (!ok) throw zmqError(host, "EINVAL", { message });
    };
    const ends = [[front, "Front-end"], [back, "Back-end"]] as const;
    for (const [{ channel, endpoints }, name] of ends) {
      check(
        !channel.closed && !endpoints.areNone,
        `${name} socket must be bound or connected`,
      );
    }
    check(
      front.channel.core === back.channel.core,
      "Both sockets must be of the same context",
    );
    if (front.blocked ?? back.blocked) {
      throw zmqError(host, "EBUSY", {
        message: (front.blocked ?? back.blocked)!,
      });
    }
    const running = this.#running = new Running(front, back);
    return running.promise.finally(() => {
      this.#running = undefined;
      this.frontEnd.close();
      this.backEnd.close();
    });
  }

  /** Stops moving messages; they wait in the sockets. Throws EBADF if not running. */
  pause(): void {
    this.#check().pause(true);
  }

  /** Goes on. Throws EBADF if not running. */
  resume(): void {
    this.#check().pause(false);
  }

  /** Ends `run()`. Throws EBADF if not running. */
  terminate(): void {
    this.#check().end();
  }

  #check(): Running {
    if (!this.#running) {
      const { reactor } = internalsOf(this.frontEnd).channel.core;
      throw zmqError(reactor.host, "EBADF");
    }
    return this.#running;
  }
}

/** One run of a proxy. */
class Running {
  readonly promise: Promise<void>;
  readonly #ends: readonly [Internals, Internals];
  #resolve!: () => void;
  #reject!: (error: Error) => void;
  #paused = false;
  #over = false;
  /** Whether messages were moved in this turn of the event loop, and are to be once more. */
  #moved = false;
  #again = false;

  constructor(front: Internals, back: Internals) {
    this.#ends = [front, back];
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    for (const { channel } of this.#ends) {
      channel.divert({
        ready: () => this.#moveOrWait(),
        fail: (error) => this.end(error),
      });
    }
    for (const end of this.#ends) {
      end.blocked = "Socket is blocked by a proxy";
    }
    this.#reactor.hold();
    this.#move();
  }

  get #reactor() {
    return this.#ends[0].channel.core.reactor;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#move();
  }

  end(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    for (const end of this.#ends) {
      end.channel.divert(undefined);
      end.blocked = undefined;
    }
    this.#reactor.drop();
    if (error) this.#reject(error);
    else this.#resolve();
  }

  /**
   * The first message of a turn of the event loop is moved at once. What comes after it,
   * from other connections, is moved together, because each time is a write at least.
   */
  #moveOrWait(): void {
    if (!this.#moved) this.#move();
    else this.#again = true;
  }

  #move(): void {
    if (this.#over || this.#paused) return;
    try {
      const [front, back] = this.#ends;
      const a = this.#forward(front, back), b = this.#forward(back, front);
      this.#reactor.touch((a + b) * 256);
      // More is waiting: after the rest of the program had its turn.
      if (a === SHARE || b === SHARE) this.#again = true;
      if (this.#moved) return;
      this.#moved = true;
      this.#reactor.host.later(() => {
        this.#moved = false;
        if (!this.#again) return;
        this.#again = false;
        this.#move();
      });
    } catch (error) {
      this.end(error as Error);
    }
  }

  #forward(from: Internals, to: Internals): number {
    const { pointer } = from.channel;
    // Fetched ahead by an earlier receive.
    const taken = from.channel.forwardQueue(to.channel);
    if (taken < 0) return 0;
    const moved = this.#reactor.call(
      "zw_forward",
      pointer,
      to.channel.pointer,
      SHARE,
    );
    if (moved < 0) {
      throw zmqError(this.#reactor.host, codeOf(-moved));
    }
    return moved;
  }
}

setName(Proxy, "Proxy");
