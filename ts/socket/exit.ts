/**
 * What happens to a context when its program has nothing left to do.
 *
 * As with libzmq in C, ending a context closes its sockets and waits until their
 * messages have left or their `linger` is over. Only then does the process exit.
 */
import type { Host } from "../host/host.ts";
import type { Reactor } from "../reactor/reactor.ts";

/** A context as seen at the end. */
export interface Ending {
  readonly reactor: Reactor;
  /** Closes all sockets. */
  closeAll(): void;
  /** Meets the `inproc` connections that still wait for somebody to bind. */
  meetInproc(): void;
  /** The advice for whoever waits too long; empty if there is none. */
  advice(): string;
}

/** After this long the user is told why the process does not end. */
const WARN_MS = 500;

/** Contexts that have sockets, by host: they must not vanish with messages in them. */
const watched = new WeakMap<Host, Set<Ending>>();

/** Sees to it that `ending` ends well, until it is forgotten. */
export function remember(ending: Ending): void {
  const { host } = ending.reactor;
  const known = watched.get(host);
  if (known) {
    known.add(ending);
    return;
  }
  const endings = new Set([ending]);
  watched.set(host, endings);
  let isAsked = false;
  host.beforeExit(() => {
    isAsked = !isAsked && endings.size > 0;
    if (isAsked) {
      // What the program itself does at its end may need its sockets, and more time. (By a
      // timer: `later` may be before the runtime looks whether anything is left to do.)
      host.setTimer(host.keepAlive(), 0);
    } else for (const each of endings) end(each);
  });
}

/** Nothing is left of the context that would have to wait. */
export function forget(ending: Ending): void {
  watched.get(ending.reactor.host)?.delete(ending);
}

/** Keeps the process alive until the last socket of the context is gone. */
function end(ending: Ending): void {
  const { reactor } = ending;
  ending.closeAll();
  try {
    // Nobody will bind any more, and libzmq would wait for it, whatever their `linger`.
    ending.meetInproc();
  } catch (error) {
    // Without memory for that libzmq is dead: then there is nothing to wait for.
    if (!reactor.instance.dead) throw error;
  }
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
