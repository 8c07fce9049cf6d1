/** CURVE keys (man zmq_curve_keypair). */
import { context, coreOf, zmqError } from "./context.ts";

const KEY_BYTES = 41;

/** A new key pair, each key 40 characters of Z85. */
export function curveKeyPair(): { publicKey: string; secretKey: string } {
  const { reactor } = coreOf(context);
  const { memory } = reactor.instance;
  return memory.withSpace(2 * KEY_BYTES, (ptr) => {
    if (reactor.call("zmq_curve_keypair", ptr, ptr + KEY_BYTES) !== 0) {
      throw zmqError(reactor.host, reactor.call("zmq_errno"));
    }
    return {
      publicKey: memory.cString(ptr),
      secretKey: memory.cString(ptr + KEY_BYTES),
    };
  });
}
