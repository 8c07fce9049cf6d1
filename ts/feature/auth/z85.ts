/** Z85, the text form of CURVE keys (RFC 32): four bytes are five characters. */
import { decoder, encoder } from "../../host/text.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz" +
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const CODES: Uint8Array = encoder.encode(ALPHABET);
const DIGITS: Uint8Array = new Uint8Array(128).fill(255);
CODES.forEach((code, digit) => DIGITS[code] = digit);

/** @throws RangeError unless the length is a multiple of 4 */
export function z85Encode(bytes: Uint8Array): string {
  if (bytes.length % 4 !== 0) {
    throw new RangeError(
      `Z85 encodes multiples of 4 bytes, not ${bytes.length}`,
    );
  }
  const text = new Uint8Array(bytes.length / 4 * 5);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < bytes.length / 4; i++) {
    let value = view.getUint32(i * 4);
    for (let j = 4; j >= 0; j--) {
      text[i * 5 + j] = CODES[value % 85]!;
      value = Math.floor(value / 85);
    }
  }
  const encoded = decoder.decode(text);
  text.fill(0);
  return encoded;
}

/**
 * The errors never show the text: it may be a secret key.
 *
 * @throws RangeError unless it is Z85
 */
export function z85Decode(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  try {
    return z85DecodeBytes(bytes);
  } finally {
    bytes.fill(0);
  }
}

/** As `z85Decode`, from the bytes of the text. */
export function z85DecodeBytes(text: Uint8Array): Uint8Array {
  if (text.length % 5 !== 0) {
    throw new RangeError(
      `Z85 comes in multiples of 5 characters, not ${text.length}`,
    );
  }
  const bytes = new Uint8Array(text.length / 5 * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length / 5; i++) {
    let value = 0;
    for (let j = 0; j < 5; j++) {
      const digit = DIGITS[text[i * 5 + j]!] ?? 255;
      if (digit === 255) {
        throw new RangeError(`character ${i * 5 + j + 1} is not Z85`);
      }
      value = value * 85 + digit;
    }
    if (value > 0xffffffff) {
      throw new RangeError(
        `characters ${i * 5 + 1} to ${i * 5 + 5} are not Z85: too large`,
      );
    }
    view.setUint32(i * 4, value);
  }
  return bytes;
}
