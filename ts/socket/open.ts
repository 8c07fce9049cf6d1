/** Making a socket of libzmq. */
import { codeOf } from "../syscall/errno.ts";
import { type ContextCore, zmqError } from "./context.ts";

/** Sockets that were closed in this turn count until libzmq has looked, for some ms at a time. */
const PUMPS_FOR_ROOM = 16;

/** Returns its pointer; `slot` is free again if there is none. @throws ZmqError EMFILE */
export function open(
  { reactor, pointer }: ContextCore,
  type: number,
  slot: number,
): number {
  for (let left = PUMPS_FOR_ROOM;; left--) {
    const socket = reactor.call("zw_socket", pointer, type, slot);
    if (socket !== 0) return socket;
    const errno = reactor.call("zmq_errno");
    if (codeOf(errno) !== "EMFILE" || left === 0) {
      reactor.release(slot);
      throw zmqError(reactor.host, errno);
    }
    reactor.pump();
  }
}
