/** The crypto_box of CurveZMQ, for a server that does what no server should. */
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from "node:crypto";

const SIGMA = Buffer.from("expand 32-byte k");

/** The 20 rounds of Salsa20 on key and input: the words before and after. */
function rounds(key: Uint8Array, input: Uint8Array): [number[], number[]] {
  const [k, n, s] = [key, input, SIGMA].map((part) => {
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    return (i: number) => view.getUint32(4 * i, true);
  }) as [(i: number) => number, (i: number) => number, (i: number) => number];
  const start = [
    ...[s(0), k(0), k(1), k(2), k(3), s(1), n(0), n(1)],
    ...[n(2), n(3), s(2), k(4), k(5), k(6), k(7), s(3)],
  ];
  const x = [...start];
  const mix = (to: number, a: number, b: number, shift: number) => {
    const sum = (x[a]! + x[b]!) | 0;
    x[to]! ^= (sum << shift) | (sum >>> (32 - shift));
  };
  const quarter = (a: number, b: number, c: number, d: number) => {
    mix(b, a, d, 7);
    mix(c, b, a, 9);
    mix(d, c, b, 13);
    mix(a, d, c, 18);
  };
  for (let i = 0; i < 10; i++) {
    quarter(0, 4, 8, 12);
    quarter(5, 9, 13, 1);
    quarter(10, 14, 2, 6);
    quarter(15, 3, 7, 11);
    quarter(0, 1, 2, 3);
    quarter(5, 6, 7, 4);
    quarter(10, 11, 8, 9);
    quarter(15, 12, 13, 14);
  }
  return [start, x];
}

const words = (values: number[]): Buffer =>
  Buffer.from(Int32Array.from(values).buffer);

function hsalsa20(key: Uint8Array, input: Uint8Array): Buffer {
  const x = rounds(key, input)[1];
  return words([0, 5, 10, 15, 6, 7, 8, 9].map((i) => x[i]!));
}

/** The key stream of XSalsa20. */
function stream(key: Uint8Array, nonce: Uint8Array, size: number): Buffer {
  const subkey = hsalsa20(key, nonce.subarray(0, 16));
  const blocks = [];
  for (let i = 0; i * 64 < size; i++) {
    const input = Buffer.alloc(16);
    input.set(nonce.subarray(16), 0);
    input.writeUInt32LE(i, 8);
    const [start, x] = rounds(subkey, input);
    blocks.push(words(x.map((word, at) => (word + start[at]!) | 0)));
  }
  return Buffer.concat(blocks).subarray(0, size);
}

const little = (bytes: Uint8Array): bigint =>
  BigInt("0x0" + Buffer.from(bytes).reverse().toString("hex"));

function poly1305(key: Uint8Array, text: Uint8Array): Buffer {
  const r = little(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < text.length; at += 16) {
    const block = Buffer.concat([text.subarray(at, at + 16), Buffer.of(1)]);
    sum = (sum + little(block)) * r % ((1n << 130n) - 5n);
  }
  const tag = (sum + little(key.subarray(16))) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
}

/** Encrypts and authenticates with a precomputed key; the nonce has 24 bytes. */
export function seal(
  text: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): Buffer {
  const pad = stream(key, nonce, 32 + text.length);
  const secret = Buffer.from(text.map((byte, i) => byte ^ pad[32 + i]!));
  return Buffer.concat([poly1305(pad.subarray(0, 32), secret), secret]);
}

/** What was sealed, without a look at whether it is genuine. */
export function unseal(
  box: Uint8Array,
  nonce: Uint8Array,
  key: Uint8Array,
): Buffer {
  const secret = box.subarray(16);
  const pad = stream(key, nonce, 32 + secret.length);
  return Buffer.from(secret.map((byte, i) => byte ^ pad[32 + i]!));
}

// What X25519 keys look like before their 32 bytes, in DER.
const SECRET_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

/** The key that crypto_box computes from a secret and a public key. */
export function shared(secretKey: Uint8Array, publicKey: Uint8Array): Buffer {
  const der = (
    type: "pkcs8" | "spki",
    prefix: Uint8Array,
    key: Uint8Array,
  ) => ({
    key: Buffer.concat([prefix, key]),
    format: "der" as const,
    type,
  });
  const privateKey: KeyObject = createPrivateKey(
    der("pkcs8", SECRET_PREFIX, secretKey) as Parameters<
      typeof createPrivateKey
    >[0],
  );
  const point = diffieHellman({
    privateKey,
    publicKey: createPublicKey(
      der("spki", PUBLIC_PREFIX, publicKey) as Parameters<
        typeof createPublicKey
      >[0],
    ),
  });
  return hsalsa20(point, Buffer.alloc(16));
}

const Z85 =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** The bytes of a key of 40 characters. */
export function z85(text: string): Buffer {
  const out = Buffer.alloc(text.length / 5 * 4);
  for (let i = 0; i < text.length; i += 5) {
    let value = 0;
    for (const char of text.slice(i, i + 5)) {
      value = value * 85 + Z85.indexOf(char);
    }
    out.writeUInt32BE(value, i / 5 * 4);
  }
  return out;
}
