/**
 * Ends `inproc` connections that wait for somebody to bind, for which libzmq would wait whatever
 * their `linger`: as zmq_ctx_term does it, with a socket that is there and closes.
 */
import * as C from "zeromq-wasm:constants";
import type { HostTimer } from "../host/host.ts";
import type { ContextCore } from "./context.ts";
import type { Counted } from "./counters.ts";
import { getOption } from "./option_access.ts";

const LINGER = { id: C.ZMQ_LINGER, kind: "i32" } as const;
/** What they have to send is only what they want to receive. */
const SUBSCRIBERS = [C.ZMQ_SUB, C.ZMQ_XSUB, C.ZMQ_DISH];

/**
 * How long a socket that is about to close may wait for who binds what it has connected to, in
 * ms: its `linger`, if it has messages. Infinity if that has no end, if it waits for nobody, or
 * if other threads may bind.
 */
export function patienceOf(
  socket: Counted & { core: ContextCore; type: number },
): number {
  const { core: { reactor, inproc, outside, register }, pointer, type } =
    socket;
  if (outside || reactor.instance.dead || inproc.of(socket).size === 0) {
    return Infinity;
  }
  const isDone = SUBSCRIBERS.includes(type) ||
    register.of(socket).queuedToSend === 0;
  const linger = isDone ? 0 : getOption(reactor, pointer, LINGER) as number;
  return linger < 0 ? Infinity : linger;
}

type Core = Pick<ContextCore, "reactor" | "pointer" | "inproc">;

/**
 * Has `meet` called for each address, with it and a PAIR that closes then. Does nothing if there
 * is no memory for that.
 */
function withPair(
  { reactor, pointer }: Core,
  addresses: Iterable<string>,
  meet: (pair: number, address: number) => void,
): void {
  if (reactor.instance.dead) return;
  const slot = reactor.add({ ready() {}, fail() {} });
  const pair = reactor.call("zw_socket", pointer, C.ZMQ_PAIR, slot);
  if (pair === 0) return reactor.release(slot);
  for (const address of addresses) {
    reactor.instance.memory.withString(address, (text) => meet(pair, text));
  }
  reactor.remove(slot, () => {});
  reactor.call("zw_close", pair);
}

/** All of a context: nobody will bind any more. */
export function meetAll(core: Core): void {
  const { reactor, inproc } = core;
  withPair(
    core,
    inproc.all(),
    (pair, address) => reactor.call("zmq_bind", pair, address),
  );
  inproc.clear();
}

/** Those of one socket, which is closed and was `pointer`, in so many ms if there are any. */
export function meetLater(
  core: Core,
  socket: object,
  pointer: number,
  ms: number,
): HostTimer | undefined {
  if (ms === Infinity) return undefined;
  const { reactor, inproc } = core;
  return reactor.host.setTimer(() => {
    withPair(
      core,
      inproc.of(socket),
      (pair, address) => reactor.call("zw_meet", pair, pointer, address),
    );
    reactor.pump();
  }, ms);
}
