// @ts-check
// The server's doorkeeper: libzmq asks it about every client that connects (man zmq_curve,
// and RFC 27/ZAP for the frames).

const DIGITS =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" +
  ".-:+=^!/*?&<>()[]{}@%$#";

/**
 * Keys as people write them: five digits for four bytes (RFC 32/Z85).
 *
 * @param {Uint8Array} bytes
 */
function toZ85(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const number = view.getUint32(at);
    for (let power = 85 ** 4; power >= 1; power /= 85) {
      text += DIGITS[Math.floor(number / power) % 85];
    }
  }
  return text;
}

/**
 * Answers libzmq's questions until the socket is closed. It must be bound before
 * the server is: where nobody answers, libzmq admits everybody.
 *
 * @param {import("zeromq-wasm").Reply} socket
 * @param {Map<string, string>} known names by public key
 */
export async function guard(socket, known) {
  for await (
    const [version, request, , address, , mechanism, key] of socket
  ) {
    const text = String(mechanism) === "CURVE" ? toZ85(key) : "no key";
    const name = known.get(text);
    if (name !== undefined) {
      console.log(`Admitted: ${name} from ${address}`);
      await socket.send([version, request, 200, "OK", name, ""]);
    } else {
      console.log(`Refused: ${text} from ${address}`);
      await socket.send([version, request, 400, "Unknown key", "", ""]);
    }
  }
}
