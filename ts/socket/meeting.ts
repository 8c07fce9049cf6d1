/**
 * Ends `inproc` connections that wait for somebody to bind, for which libzmq would wait whatever
 * their `linger`: as zmq_ctx_term does it, with a socket that is there and closes.
 */
import * as C from "zeromq-wasm:constants";
import type { HostTimer } from "../host/host.ts";
import type { ContextCore } from "./context.ts";
import { getOption } from "./option_access.ts";

const LINGER = { id: C.ZMQ_LINGER, kind: "i32" } as const;

/**
 * How long a socket that is about to close may wait for who binds what it has connected to, in
 * ms: its `linger`, -1 for ever; Infinity if it does not wait, or other threads may bind.
 */
export function patienceOf(socket: { core: ContextCore; pointer: number }) {
  const { core: { reactor, inproc, outside }, pointer } = socket;
  const waits = !outside && !reactor.instance.dead &&
    inproc.of(socket).size > 0;
  return waits ? getOption(reactor, pointer, LINGER) as number : Infinity;
}

type Core = Pick<ContextCore, "reactor" | "pointer" | "inproc">;

/** Does nothing if there is no memory for another socket. */
function withPair({ reactor, pointer }: Core, task: (pair: number) => void) {
  const slot = reactor.add({ ready() {}, fail() {} });
  const pair = reactor.call("zw_socket", pointer, C.ZMQ_PAIR, slot);
  if (pair === 0) return reactor.release(slot);
  task(pair);
  reactor.remove(slot, () => {});
  reactor.call("zw_close", pair);
}

/** All of a context: nobody will bind any more. */
export function meetAll(core: Core): void {
  const { reactor, inproc } = core;
  if (reactor.instance.dead) return;
  for (const address of inproc.all()) {
    withPair(core, (pair) => {
      reactor.instance.memory.withString(
        address,
        (text) => reactor.call("zmq_bind", pair, text),
      );
    });
  }
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
  return core.reactor.host.setTimer(() => meet(core, socket, pointer), ms);
}

function meet(core: Core, socket: object, pointer: number): void {
  const { reactor, inproc } = core;
  if (reactor.instance.dead) return;
  for (const address of inproc.of(socket)) {
    let more = 1;
    while (more !== 0) {
      more = 0;
      withPair(core, (pair) => {
        more = reactor.instance.memory.withString(
          address,
          (text) => reactor.call("zw_meet", pair, pointer, text),
        );
      });
    }
  }
  reactor.pump();
}
