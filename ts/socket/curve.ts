/** CURVE keys (man zmq_curve_keypair, zmq_curve_public). */
import { context, coreOf, zmqError } from "./context.ts";

const KEY_BYTES = 41;

/** A new key pair, each key 40 characters of Z85. */
export function curveKeyPair(): { publicKey: string; secretKey: string } {
  const { reactor } = coreOf(context);
  const { memory } = reactor.instance;
  return memory.withSpace(2 * KEY_BYTES, (ptr) => {
    const rc = reactor.call("zmq_curve_keypair", ptr, ptr + KEY_BYTES);
    reactor.call("zw_wipe_stack");
    if (rc !== 0) {
      throw zmqError(reactor.host, reactor.call("zmq_errno"));
    }
    return {
      publicKey: memory.cString(ptr),
      secretKey: memory.cString(ptr + KEY_BYTES),
    };
  });
}

/** The public key of a secret key, both 40 characters of Z85. Throws EINVAL for others. */
export function curvePublicKey(secretKey: string): string {
  const { reactor } = coreOf(context);
  const { memory } = reactor.instance;
  return memory.withSpace(
    KEY_BYTES,
    (ptr) =>
      memory.withString(secretKey, (secret) => {
        const rc = secretKey.length === KEY_BYTES - 1
          ? reactor.call("zmq_curve_public", ptr, secret)
          : -1;
        reactor.call("zw_wipe_stack");
        if (rc !== 0) {
          throw zmqError(reactor.host, "EINVAL", {
            message: "A secret key has 40 characters of Z85",
          });
        }
        return memory.cString(ptr);
      }),
  );
}
