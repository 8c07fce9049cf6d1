/**
 * What happens to contexts when their program has nothing left to do.
 *
 * As with libzmq in C, ending a context closes its sockets and waits until their
 * messages have left or their `linger` is over. Only then does the process exit.
 */
import type { Host } from "../host/host.ts";
import { laterUndone } from "../host/unused.ts";
import { type Origin, whenArrived } from "./arrival.ts";

/** A context as seen at the end. */
export interface Ending extends Origin {
  /** A number that changes with what the program does with its sockets. */
  readonly uses: number;
  /** Whether sockets that are closed are not gone yet. */
  readonly isLeaving: boolean;
  /** Whether these have messages to send, or open ones do. */
  readonly isSending: boolean;
  /** What no other thread has bound by now is waited for no longer. */
  forsake(): void;
  /** Closes the sockets that do not listen, or all. */
  close(listening: boolean): void;
  /** Ends the `inproc` connections that still wait for somebody to bind. */
  partInproc(): void;
  /** The advice for whoever waits too long; empty if there is none. */
  advice(): string;
}

/** If the process lives on for longer, the program does something at its end. */
const QUIET_MS = 0.5;
/** Of handlers that go on for ever without using a socket. */
const MOST_ROUNDS = 100;
/** After this long the user is told why the process does not end. */
const WARN_MS = 500;

/** Contexts that have sockets: they must not vanish with messages in them. */
interface Watch {
  readonly endings: Set<Ending>;
  /** To be called when there are none. */
  unused(): void;
}
const watches = new WeakMap<Host, Watch>();

/** Sees to it that `ending` ends well, until it is forgotten. */
export function remember(ending: Ending): void {
  const { host } = ending.reactor;
  const known = watches.get(host);
  if (known) known.endings.add(ending);
  else watches.set(host, watch(host, new Set([ending])));
}

/** Nothing is left of the context that would have to wait. */
export function forget(ending: Ending): void {
  const watch = watches.get(ending.reactor.host);
  if (watch?.endings.delete(ending)) watch.unused();
}

/** Closes a socket that nobody refers to: others of the program may have messages for it. */
export function closeListener(host: Host, socket: { close(): void }): void {
  const all = [...watches.get(host)?.endings ?? []];
  const isUnderWay = () => all.some((each) => each.isSending);
  whenArrived(all, isUnderWay, () => socket.close());
}

function watch(host: Host, endings: Set<Ending>): Watch {
  let uses = -1, rounds = 0, asked = -Infinity;
  const next = (wasQuiet: boolean) => {
    const before = uses;
    uses = 0;
    for (const each of endings) uses += each.uses;
    rounds = uses === before ? rounds + 1 : 0;
    if (uses === before && wasQuiet || rounds > MOST_ROUNDS) {
      uses = -1;
      end([...endings]);
    } else if (endings.size > 0) {
      // What the program itself does at its end may need its sockets, and more time. (By a
      // timer: `later` may be before the runtime looks whether anything is left to do.)
      const release = host.keepAlive();
      host.setTimer(() => {
        asked = host.now();
        release();
      }, 0);
    }
  };
  const stop = host.beforeExit(() => {
    // Before the program's own handlers, which may take their time; the rest after them.
    const wasQuiet = host.now() - asked < QUIET_MS;
    host.soon(() => next(wasQuiet));
  });
  const unused = laterUndone(host, () => endings.size === 0, () => {
    watches.delete(host);
    stop();
  });
  return { endings, unused };
}

/** Closes all sockets, and keeps the process alive until the last one is gone. */
function end(endings: Ending[]): void {
  for (const each of endings) {
    each.forsake();
    each.close(false);
    partInproc(each);
    each.reactor.pump();
  }
  whenArrived(endings, () => endings.some((each) => each.isLeaving), () => {
    for (const each of endings) each.close(true);
  });
  for (const each of endings) wait(each);
}

function partInproc(ending: Ending): void {
  try {
    // Nobody will bind any more, and libzmq would wait for it, whatever their `linger`.
    ending.partInproc();
  } catch (error) {
    // Without memory for that libzmq is dead: then there is nothing to wait for.
    if (!ending.reactor.instance.dead) throw error;
  }
}

function wait(ending: Ending): void {
  const { reactor } = ending;
  reactor.pump();
  if (reactor.sockets === 0) return;
  reactor.hold();
  const warning = reactor.host.setTimer(() => {
    console.warn(
      "zeromq-wasm: waiting for queued ZeroMQ messages to be delivered." +
        ending.advice(),
    );
  }, WARN_MS);
  reactor.whenEmpty(() => {
    warning.cancel();
    reactor.drop();
  });
}
