/**
 * Ends `inproc` connections that wait for somebody to bind, for which libzmq would wait whatever
 * their `linger`, and keep 34 KB for each.
 */
import * as C from "zeromq-wasm:constants";
import type { HostTimer } from "../host/host.ts";
import type { ContextCore } from "./context.ts";
import { getOption } from "./option_access.ts";

const LINGER = { id: C.ZMQ_LINGER, kind: "i32" } as const;
/** What they have to send is only what they want to receive. */
const SUBSCRIBERS = [C.ZMQ_SUB, C.ZMQ_XSUB, C.ZMQ_DISH];

type Core = Pick<ContextCore, "reactor" | "inproc">;

interface Waiting {
  readonly core: Core;
  readonly pointer: number;
  readonly type: number;
}

/** Messages that wait for somebody to bind the name; -1 if the socket does not wait for that. */
export function unmet(
  { core: { reactor }, pointer, type }: Waiting,
  address: string,
): number {
  const count = reactor.instance.memory.withString(
    address,
    (text) => reactor.call("zw_unmet", pointer, text),
  );
  return SUBSCRIBERS.includes(type) ? Math.min(count, 0) : count;
}

function part({ reactor, inproc }: Core, socket: number, address: string) {
  reactor.instance.memory.withString(
    address,
    (text) => reactor.call("zw_part", socket, text),
  );
  inproc.delete(socket, address);
}

/**
 * After a disconnect, and before a close: a connection without messages waits no more for who
 * binds the name.
 */
export function partIdle(socket: Waiting, addresses: Iterable<string>): void {
  const { core, pointer } = socket;
  if (core.reactor.instance.dead) return;
  try {
    for (const address of addresses) {
      if (unmet(socket, address) <= 0) part(core, pointer, address);
    }
  } catch {
    // Without memory for the name it waits, as in libzmq.
  }
}

/**
 * How long a socket that is about to close may wait for who binds what it has connected to, in
 * ms: its `linger`. Infinity if that has no end, if it waits for nobody, or if other threads may
 * bind.
 */
export function patienceOf(
  { core: { reactor, inproc, outside }, pointer }: {
    core: ContextCore;
    pointer: number;
  },
): number {
  if (
    outside || reactor.instance.dead || inproc.of(pointer).size === 0
  ) return Infinity;
  const linger = getOption(reactor, pointer, LINGER) as number;
  return linger < 0 ? Infinity : linger;
}

/** Those of a socket, which may be closed. */
function partAllOf(core: Core, socket: number): void {
  if (core.reactor.instance.dead) return;
  for (const address of core.inproc.of(socket)) part(core, socket, address);
}

/** All of a context: nobody will bind any more. */
export function partAll(core: Core): void {
  for (const socket of core.inproc.sockets) partAllOf(core, socket);
}

/** Those of one socket, which is closed and was `pointer`, in so many ms if there are any. */
export function partLater(
  core: Core,
  pointer: number,
  ms: number,
): HostTimer | undefined {
  if (ms === Infinity) return undefined;
  return core.reactor.host.setTimer(() => {
    partAllOf(core, pointer);
    core.reactor.pump();
  }, ms);
}
