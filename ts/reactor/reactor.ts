/**
 * The only code that enters the module because of an event.
 *
 * Every entry ends the same way: pump libzmq until it is idle, serve the sockets it
 * signalled, arm the one timer. Events of the host pump at once, which adds no
 * latency. Calls of the application mark the reactor dirty and are pumped together
 * (`Host.soon`) because one write for many messages is what makes it fast; a long
 * burst pumps inline, because a loop of awaits never reaches `soon`, and because a
 * full queue would drop what a native I/O thread would have sent meanwhile.
 *
 * The module is never re-entered: the host calls back only from turns of its own.
 */
import type { Host } from "../host/host.ts";
import type { Kernel, SocketName } from "../syscall/kernel.ts";
import { Instance, type InstanceOptions } from "../native/instance.ts";
import { Alarm } from "./alarm.ts";
import { Backlog } from "./backlog.ts";
import { BURST, BurstLength, units } from "./burst.ts";
import type { Client } from "./client.ts";
import { Crowd } from "./crowd.ts";
import { Lookout } from "./lookout.ts";
import { Turn } from "./turn.ts";

/** Work units of the program after which it yields. */
const YIELD = 512;
const ADDRESS_BYTES = 128; // more than the longest IP literal, with its scope
const RESOLVED: Promise<void> = Promise.resolve();

export class Reactor implements Kernel {
  readonly host: Host;
  readonly instance: Instance;
  readonly trace: InstanceOptions["trace"];
  /** libzmq's context. */
  readonly context: number;
  readonly #lookout: Lookout;
  readonly #backlog: Backlog;
  /** Memory of the module for an IP literal. */
  readonly #address: number;
  readonly #clients: (Client | undefined)[] = [];
  readonly #freeSlots: number[] = [];
  #whenEmpty: (() => void)[] = [];
  readonly #whenGone = new Map<number, () => void>();
  #dirty = false;
  #serving = false;
  #soon = false;
  #goingOn = false;
  /**
   * A pump took its full time: the next one has a turn of the event loop for itself, and
   * no event or queued work pumps in this one; only who cannot go on without does.
   */
  #again = false;
  #burst = 0;
  readonly #length = new BurstLength();
  #sinceYield = 0;
  readonly #turn: Turn;
  readonly #crowd: Crowd;
  #yielded: (() => void)[] = [];
  readonly #alarm: Alarm;
  #waiting = 0;
  #release: (() => void) | undefined;

  constructor(host: Host, options: InstanceOptions) {
    this.host = host;
    this.trace = options.trace;
    this.#lookout = new Lookout(host);
    this.#turn = new Turn(host);
    this.instance = new Instance(host, this, options);
    const pump = () => {
      if (!this.#again) this.pump();
    };
    this.#alarm = new Alarm(host, pump);
    this.#crowd = new Crowd(host, pump);
    this.#backlog = new Backlog(host, this.instance);
    // No secrets are drawn from these, and Node loads its secure numbers for long.
    this.context = this.call("zw_ctx_new", Math.random() * 2 ** 32);
    this.#address = this.instance.memory.alloc(ADDRESS_BYTES);
  }

  /**
   * Calls an export, which ignores what it does not take; what escapes kills the instance and
   * becomes one clear error. (The rest of any arguments would be an array for each call.)
   */
  call(name: string, a = 0, b = 0, c = 0, d = 0): number {
    if (this.instance.dead) throw this.instance.dead;
    try {
      return this.instance.exports[name]!(a, b, c, d);
    } catch (error) {
      throw this.died(error);
    }
  }

  /** What escaped from the module makes it dead; returns the error to throw. */
  died(error: unknown): Error {
    const first = !this.instance.dead;
    const dead = this.instance.fail(error);
    if (!first) return dead;
    this.#alarm.cancel();
    for (const client of this.#clients) client?.fail(dead);
    this.#empty();
    return dead;
  }

  #gone(slot: number): void {
    this.release(slot);
    const task = this.#whenGone.get(slot);
    this.#whenGone.delete(slot);
    task?.();
  }

  #empty(): void {
    for (const slot of [...this.#whenGone.keys()]) this.#gone(slot);
    for (const task of this.#whenEmpty.splice(0)) task();
  }

  // --- clients

  add(client: Client): number {
    const slot = this.#freeSlots.pop() ?? this.#clients.length;
    this.#clients[slot] = client;
    return slot;
  }

  /**
   * The client is closed. Its slot is free, and `gone` called, once libzmq is done
   * with the socket, or dead.
   */
  remove(slot: number, gone: () => void): void {
    this.#clients[slot] = undefined;
    if (this.instance.dead) gone();
    else this.#whenGone.set(slot, gone);
  }

  /** Frees a slot that never had a socket, or has none any more. */
  release(slot: number): void {
    this.#clients[slot] = undefined;
    this.#freeSlots.push(slot);
  }

  /** Sockets of libzmq that exist: open ones, and closed ones not done with sending. */
  get sockets(): number {
    return this.instance.dead ? 0 : this.call("zw_sockets", this.context);
  }

  /** Calls `task` once when there are no sockets any more. */
  whenEmpty(task: () => void): void {
    if (this.instance.dead) task();
    else this.#whenEmpty.push(task);
  }

  /** While more holds than drops happened, the process stays alive. */
  hold(): void {
    this.#waiting++;
    this.#release ??= this.host.keepAlive();
  }

  /**
   * Undoes a `hold`. The process is let go only when the current callback is over:
   * in between, the next operation most often waits again.
   */
  drop(): void {
    if (--this.#waiting === 0) this.#pumpThen();
  }

  #letGo(): void {
    if (this.#waiting > 0) return this.#lookout.waits();
    this.#release?.();
    this.#release = undefined;
  }

  // --- calls of the application

  /** Something was done that libzmq must act upon: soon, or now in a long burst. */
  touch(bytes = 0, calls = 1): void {
    this.#act(units(bytes, calls));
  }

  #act(work: number): void {
    const isLong = this.#count(work);
    // A socket that is just being served must not be served once more meanwhile.
    if (isLong && this.#isFree) this.pump();
    else if (this.#serving) this.#pumpThen();
    else this.#pumpSoon();
  }

  /** Somebody found nothing and waits now: libzmq need not act upon that before all others. */
  touchThen(): void {
    if (this.#count(1) && this.#isFree) this.pump();
    else this.#pumpThen();
  }

  /**
   * Messages were queued, by a socket that `spreads` them and where there is no room waits.
   * They may leave `now`, if this is a moment for it.
   */
  sent(bytes: number, messages: number, spreads: boolean, now: boolean): void {
    this.#lookout.sent();
    const work = units(bytes, messages);
    this.#length.sent(work, spreads);
    if (!now || !this.#isFree) return this.#act(work);
    this.#count(work);
    this.pump();
    // Who waits already may be waiting for the answer.
    if (this.#waiting > 0) this.#pumpThen();
  }

  /** Whether so much comes at once that what is sent need not leave at once. */
  get isCrowded(): boolean {
    return this.#crowd.busy;
  }

  /** Notes work of the program; whether that is a long burst now. */
  #count(work: number): boolean {
    this.#sinceYield += work;
    this.#burst += work;
    return this.#burst >= this.#length.longest;
  }

  /** Whether this is a moment to pump at once. */
  get #isFree(): boolean {
    return !this.#serving && !this.#again;
  }

  #pumpSoon(): void {
    this.#dirty = true;
    if (this.#soon) return;
    this.#soon = true;
    this.host.soon(this.#flush);
  }

  /**
   * Pumps once for what the program does now in microtasks; Node has `soon` before them. A look
   * that is due comes after them, and is for nothing: `soon` leaves 0.5 KB of garbage on Node.
   */
  #pumpThen(): void {
    this.#dirty = true;
    if (this.#soon || this.#goingOn) return;
    this.#goingOn = true;
    if (!this.#lookout.andThen(this.#looked)) void RESOLVED.then(this.#wentOn);
  }

  #looked = (): void => {
    this.#goingOn = false;
    if (!this.#soon) this.#flush();
  };

  #wentOn = (): void => {
    this.#goingOn = false;
    this.#pumpSoon();
  };

  #flush = (): void => {
    this.#soon = false;
    if (this.#dirty && !this.#again && !this.#goesOn) this.pump();
    this.#letGo();
  };

  /** Whether the application has done so much that the rest of the program must run. */
  get mustYield(): boolean {
    return this.#sinceYield >= YIELD || this.#again;
  }

  /** Resolves after timers and I/O had their turn. */
  yield(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#yielded.push(resolve) > 1) return;
      this.host.later(() => {
        this.#sinceYield = 0;
        const resolvers = this.#yielded;
        this.#yielded = [];
        for (const resolve of resolvers) resolve();
        // If they do not go on: looked at when they have run.
        if (this.#dirty) void RESOLVED.then(() => this.#pumpSoon());
      });
    });
  }

  /** The same, for who sends: also waits for connections that are busy with large messages. */
  async yieldSender(): Promise<void> {
    await this.yield();
    await this.#backlog.room();
  }

  /** Whether a long burst has only yielded. */
  get #goesOn(): boolean {
    const { longest } = this.#length;
    return this.#yielded.length > 0 && longest > BURST && this.#burst < longest;
  }

  /** Runs libzmq until it is idle, then serves the sockets it signalled. */
  pump(): void {
    this.#dirty = false;
    this.#length.over(this.#burst, this.instance.fds.writes);
    this.#burst = 0;
    if (this.instance.dead) return;
    const { exports } = this.instance;
    try {
      if (!this.#turn.pump(exports.zw_pump!)) this.#pumpLater();
    } catch (error) {
      this.died(error);
      return;
    }
    this.#serve();
  }

  #pumpLater(): void {
    if (this.#again) return;
    this.#again = true;
    this.host.later(() => {
      this.#again = false;
      this.pump();
    });
  }

  #serve(): void {
    let served = false;
    this.#serving = true;
    try {
      const { exports } = this.instance;
      for (;;) {
        const slot = exports.zw_next_ready!();
        if (slot === -1) break;
        if (slot < 0) {
          this.#gone(-2 - slot);
          continue;
        }
        this.#clients[slot]?.ready();
        if (this.instance.dead) return;
        served = true;
      }
      // What sockets did meanwhile can need libzmq again, even where nothing was
      // received: a SUB, say, subscribes at the peer it has just learned of.
      if (served) this.#pumpThen();
      this.#alarm.set(exports.zw_next_timer!());
      if (this.#whenEmpty.length > 0 && this.sockets === 0) this.#empty();
    } catch (error) {
      this.died(error);
    } finally {
      this.#serving = false;
    }
  }

  // --- events of the host (Kernel)

  #event(run: () => void): void {
    this.#sinceYield = 0;
    if (this.#tell(run) && !this.#again) this.pump();
  }

  /** Tells libzmq; false if it is dead, or dies of it, which then everybody knows. */
  #tell(run: () => void): boolean {
    if (this.instance.dead) return false;
    try {
      run();
      return true;
    } catch (error) {
      this.died(error);
      return false;
    }
  }

  /** As `#event`, without its closure: this is what happens for each message. */
  input(fd: number, size: number): boolean {
    this.#lookout.arrived();
    if (!this.#turn.goesOn(this.#sinceYield)) this.#pumpLater();
    this.#sinceYield = 0;
    const { instance } = this;
    if (instance.dead) return false;
    try {
      instance.exports.zw_input!(fd, size);
      if (
        this.#again || this.#crowd.gathers(size, instance.fds.connections)
      ) return true;
      this.pump();
    } catch (error) {
      this.died(error);
    }
    return false;
  }

  worked(bytes: number): void {
    this.#sinceYield += units(bytes, 0);
  }

  connected(
    fd: number,
    local: SocketName | undefined,
    remote: SocketName | undefined,
  ): void {
    this.#event(() => {
      this.#setAddress(fd, 0, local);
      this.#setAddress(fd, 1, remote);
      this.call("zw_connected", fd);
    });
  }

  /**
   * Pumps soon: where each write ends in a microtask, amid a loop of awaits, a pump at once
   * would write the few messages that were sent since the last one.
   */
  writable(fd: number, took = 0): void {
    if (this.#tell(() => this.call("zw_writable", fd))) this.#pumpSoon();
    this.#backlog.drained(took);
  }

  eof(fd: number): void {
    this.#event(() => this.call("zw_eof", fd));
  }

  failed(fd: number, errno: number): void {
    this.#event(() => this.call("zw_failed", fd, errno));
  }

  incoming(
    listener: number,
    local: SocketName | undefined,
    remote: SocketName | undefined,
  ): number {
    if (this.instance.dead) return -1;
    try {
      const fd = this.call("zw_incoming", listener);
      if (fd < 0) return fd;
      this.#setAddress(fd, 0, local);
      this.#setAddress(fd, 1, remote);
      // The caller starts the connection first, also in a long burst; then libzmq accepts it.
      this.#count(1);
      this.#pumpSoon();
      return fd;
    } catch (error) {
      this.died(error);
      return -1;
    }
  }

  #setAddress(fd: number, peer: 0 | 1, name: SocketName | undefined): void {
    const host = name?.host ?? "";
    if (host.length >= ADDRESS_BYTES) return;
    // For each connection, so without all that lending it a string would take.
    const at = this.#address;
    this.instance.memory.setAscii(at, host);
    this.call("zw_set_address", fd, peer, at, name?.port ?? 0);
  }
}
