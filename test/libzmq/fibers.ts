/**
 * The threads of a test program: fibers that Asyncify suspends in `test.wait`.
 *
 * Everything else is the product: its reactor pumps libzmq and is told by its host.
 * A fiber runs only in turns of its own, never while the module is on the stack.
 */
import { Reactor } from "../../ts/reactor/reactor.ts";
import type { Host } from "../../ts/host/host.ts";
import { MEMORY_LIMIT } from "../../ts/native/instance.ts";
import { connectTestImports } from "./imports.ts";

/** Thrown out of a fiber whose test case failed. */
export class Leave extends Error {}

/** Room for what Asyncify saves of one fiber, and for the fiber's C stack. */
const SAVED_BYTES = 128 * 1024;
const STACK_BYTES = 512 * 1024;
/** How long fibers may go on before the host has its turn. */
const TURN_MS = 5;
/**
 * Turns of the event loop in which nothing happened before a time-out counts: a
 * native I/O thread has long done in a millisecond what takes some of them here.
 */
const QUIET_TURNS = 4;
/** Turns after which it counts all the same. */
const LATE_TURNS = 50;
/** Asyncify's states. */
const NORMAL = 0, REWINDING = 2;

class Fiber {
  ended = false;
  started = false;
  /** The block of its memory, the descriptor of what Asyncify saved, its stack pointer. */
  block = 0;
  saved = 0;
  stack = 0;
  errno = 0;
  /** What it waits for: a C function and its argument, and until when. */
  check = 0;
  argument = 0;
  deadline = 0;
  late = 0;
  /** The turn in which it gave way to the host, if that is all it waits for. */
  yieldedIn = 0;
  onEnd: (() => void) | undefined;
  constructor(readonly run: () => number) {}
}

export class Fibers extends Reactor {
  readonly #fibers: Fiber[] = [];
  #running: Fiber | undefined;
  #resumedAt = 0;
  /** A turn is due, or under way. */
  #due = false;
  #turning = false;
  #turns = 0;
  /** Turns since something happened. */
  #quiet = 0;
  #alarm: { cancel(): void } | undefined;
  readonly #onDeath: (error: Error) => void;

  constructor(host: Host, onDeath: (error: Error) => void) {
    super(host, {
      memoryLimit: MEMORY_LIMIT,
      // Every call of libzmq and every event, for who looks for a fault.
      trace: host.env("ZMQ_TRACE") ? console.error : undefined,
    });
    this.#onDeath = onDeath;
    connectTestImports(this);
  }

  /** Something happened: whoever waits may go on. */
  override pump(): void {
    super.pump();
    if (!this.#turning) this.#quiet = 0;
    if (this.instance.dead) this.#onDeath(this.instance.dead);
    else this.#wake();
  }

  /** Runs a function as a fiber; its result when it ends. */
  main(run: () => number): Promise<number> {
    return new Promise((resolve) => {
      let status = -1;
      const id = this.spawn(() => status = run());
      this.#fibers[id]!.onEnd = () => resolve(status);
    });
  }

  // --- what a fiber asks for

  get running(): boolean {
    return this.#running !== undefined;
  }

  get busy(): number {
    return this.host.now() - this.#resumedAt;
  }

  spawn(run: () => number): number {
    this.#wake();
    return this.#fibers.push(new Fiber(run)) - 1;
  }

  spawnC(fn: number, argument: number): number {
    return this.spawn(() => this.instance.exports.zw_test_call!(fn, argument));
  }

  ended(id: number): boolean {
    return this.#fibers[id]!.ended;
  }

  /** Called twice: to suspend, and when the fiber goes on. */
  wait(check: number, argument: number, ms: number): void {
    const { exports } = this.instance;
    if (exports.asyncify_get_state!() === REWINDING) {
      exports.asyncify_stop_rewind!();
      return;
    }
    const fiber = this.#running;
    if (!fiber) throw new Error("a wait in the middle of the pump");
    // No time at all: it only wants the host to have its turn.
    fiber.yieldedIn = ms === 0 ? this.#turns : 0;
    fiber.late = 0;
    fiber.check = check;
    fiber.argument = argument;
    fiber.deadline = ms < 0 ? Infinity : this.host.now() + ms;
    fiber.stack = exports.stackSave!();
    fiber.errno = this.instance.memory.words[exports.zw_test_errno!() >> 2]!;
    exports.asyncify_start_unwind!(fiber.saved);
  }

  // --- turns

  #wake(): void {
    if (this.#due || this.#turning) return;
    this.#due = true;
    this.host.soon(this.#turn);
  }

  #turn = (): void => {
    this.#due = false;
    this.#turning = true;
    this.#turns++;
    this.#alarm?.cancel();
    const until = this.host.now() + TURN_MS;
    let progress: boolean;
    do {
      progress = false;
      for (const fiber of this.#fibers) {
        if (fiber.ended || !this.#mayRun(fiber)) continue;
        progress = true;
        this.#quiet = 0;
        this.#resume(fiber);
        this.pump();
      }
    } while (progress && this.host.now() < until);
    this.#turning = false;
    const next = this.#nextDeadline();
    if (!progress && next > this.host.now()) this.#setAlarm(next);
    else {
      this.#quiet++;
      this.#due = true;
      if (this.#quiet === 1) this.host.later(this.#turn);
      else this.host.setTimer(this.#turn, 1);
    }
  };

  #mayRun(fiber: Fiber): boolean {
    if (!fiber.started) return true;
    if (fiber.yieldedIn > 0) return this.#turns > fiber.yieldedIn;
    if (
      fiber.deadline <= this.host.now() &&
      (this.#quiet >= QUIET_TURNS || ++fiber.late > LATE_TURNS)
    ) return true;
    return this.call("zw_test_check", fiber.check, fiber.argument) !== 0;
  }

  #nextDeadline(): number {
    let next = Infinity;
    for (const fiber of this.#fibers) {
      if (!fiber.ended) next = Math.min(next, fiber.deadline);
    }
    return next;
  }

  #setAlarm(at: number): void {
    if (at === Infinity) return;
    this.#alarm = this.host.setTimer(
      () => this.#wake(),
      Math.max(1, at - this.host.now()),
    );
  }

  #resume(fiber: Fiber): void {
    const { exports, memory } = this.instance;
    const outside = exports.stackSave!();
    if (fiber.started) {
      exports.stackRestore!(fiber.stack);
      exports.asyncify_start_rewind!(fiber.saved);
      memory.words[exports.zw_test_errno!() >> 2] = fiber.errno;
    } else {
      this.#allocate(fiber);
      exports.stackRestore!(fiber.stack);
    }
    this.#running = fiber;
    this.#resumedAt = this.host.now();
    try {
      fiber.run();
      if (exports.asyncify_get_state!() === NORMAL) this.#end(fiber);
      else exports.asyncify_stop_unwind!();
    } catch (error) {
      if (!(error instanceof Leave)) {
        this.#onDeath(this.instance.fail(error));
        return;
      }
      this.#end(fiber);
    } finally {
      this.#running = undefined;
      exports.stackRestore!(outside);
    }
  }

  #allocate(fiber: Fiber): void {
    const { memory } = this.instance;
    fiber.block = memory.alloc(SAVED_BYTES + STACK_BYTES);
    // Asyncify's descriptor: where to write next, and where the room ends.
    fiber.saved = fiber.block;
    memory.words[fiber.saved >> 2] = fiber.block + 8;
    memory.words[(fiber.saved >> 2) + 1] = fiber.block + SAVED_BYTES;
    fiber.stack = (fiber.block + SAVED_BYTES + STACK_BYTES) & ~15;
    fiber.started = true;
  }

  #end(fiber: Fiber): void {
    fiber.ended = true;
    fiber.onEnd?.();
    this.instance.memory.free(fiber.block);
  }
}
