/** The cryptography as it was compiled, against what its authors published. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("crypto vectors");

const module = new WebAssembly.Module(readFileSync("build/crypto.wasm"));
const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  // Nothing that is tested here may need anything from outside.
  (imports[from] ??= {})[name] = () => {
    throw new Error(`${from}.${name} was called`);
  };
}
const { exports } = new WebAssembly.Instance(module, imports);
(exports._initialize as () => void)();
const memory = exports.memory as WebAssembly.Memory;
const call = exports as Record<string, (...args: number[]) => number>;

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");

/** Bytes in the module, freed never: the process is short. */
function put(bytes: Uint8Array): number {
  const at = call.malloc!(bytes.length || 1);
  new Uint8Array(memory.buffer).set(bytes, at);
  return at;
}
const get = (at: number, size: number) =>
  Buffer.from(new Uint8Array(memory.buffer, at, size));

/** What a function writes: its first argument, of `size` bytes. */
function result(size: number, name: string, ...args: (Uint8Array | number)[]) {
  const out = put(new Uint8Array(size));
  const numbers = args.map((it) => typeof it === "number" ? it : put(it));
  assert.is(call[name]!(out, ...numbers), 0, `${name} failed`);
  return get(out, size).toString("hex");
}

const ALICE = {
  secret: hex(
    "77076d0a7318a57d3c16c17251b26645 df4c2f87ebc0992ab177fba51db92c2a",
  ),
  public: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
};
const BOB = {
  secret: hex(
    "5dab087e624a8a4b79e17f8b83800ee6 6f3bb1292618b6fd1c2f8b27ff88e0eb",
  ),
  public: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
};
const SHARED =
  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

test("X25519: RFC 7748, 5.2", () => {
  const cases = [
    [
      "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ],
    [
      "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
      "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ],
  ] as const;
  for (const [scalar, u, expected] of cases) {
    assert.is(result(32, "x25519", hex(scalar), hex(u)), expected);
  }
});

test("X25519: RFC 7748, 5.2, a thousand iterations", () => {
  const [k, u, q] = [9, 9, 0].map((first) => {
    const bytes = new Uint8Array(32);
    bytes[0] = first;
    return put(bytes);
  }) as [number, number, number];
  for (let i = 1; i <= 1000; i++) {
    assert.is(call.x25519!(q, k, u), 0);
    const bytes = new Uint8Array(memory.buffer);
    bytes.copyWithin(u, k, k + 32);
    bytes.copyWithin(k, q, q + 32);
    if (i === 1) {
      assert.is(
        get(k, 32).toString("hex"),
        "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
      );
    }
  }
  assert.is(
    get(k, 32).toString("hex"),
    "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
  );
});

test("X25519: RFC 7748, 6.1, Diffie-Hellman", () => {
  assert.is(result(32, "x25519_base", ALICE.secret), ALICE.public);
  assert.is(result(32, "x25519_base", BOB.secret), BOB.public);
  assert.is(result(32, "x25519", ALICE.secret, hex(BOB.public)), SHARED);
  assert.is(result(32, "x25519", BOB.secret, hex(ALICE.public)), SHARED);
});

test("X25519 refuses points of small order", () => {
  const out = put(new Uint8Array(32));
  const secret = put(ALICE.secret);
  for (
    const point of [
      "00".repeat(32),
      "01" + "00".repeat(31),
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]
  ) assert.is(call.x25519!(out, secret, put(hex(point))), -1, point);
});

test("Poly1305: RFC 8439, 2.5.2 and A.3", () => {
  const zeros = "00".repeat(16);
  const two = "02" + "00".repeat(15);
  const cases: [key: string, message: Uint8Array, tag: string][] = [
    [
      "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
      Buffer.from("Cryptographic Forum Research Group"),
      "a8061dc1305136c6c22b8baf0c0127a9",
    ],
    [zeros + zeros, new Uint8Array(64), zeros],
    [two + zeros, hex("ff".repeat(16)), "03" + "00".repeat(15)],
    [two + "ff".repeat(16), hex(two), "03" + "00".repeat(15)],
    [two + zeros, hex("fd" + "ff".repeat(15)), "fa" + "ff".repeat(15)],
    [
      "01000000000000000400000000000000" + zeros,
      hex(
        "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000" +
          zeros + "01" + "00".repeat(15),
      ),
      "14000000000000005500000000000000",
    ],
  ];
  for (const [key, message, tag] of cases) {
    assert.is(result(16, "poly1305", message, message.length, hex(key)), tag);
  }
});

/** Poly1305 by its definition, in RFC 8439, 2.5. */
function poly1305(message: Uint8Array, key: Uint8Array): string {
  const number = (bytes: Uint8Array) =>
    BigInt("0x0" + Buffer.from(bytes).reverse().toString("hex"));
  const r = number(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    const bit = 1n << BigInt(8 * block.length);
    sum = (sum + number(block) + bit) * r % ((1n << 130n) - 5n);
  }
  const tag = BigInt.asUintN(128, sum + number(key.subarray(16)));
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse()
    .toString("hex");
}

const numbers = (seed: number) => (size: number) =>
  Uint8Array.from(
    { length: size },
    () => (seed = Math.imul(seed, 1103515245) + 12345 >>> 0) >>> 16,
  );

test("Poly1305 is what its definition says, for each size, whole and in parts", () => {
  // Short ones, the first that go through vectors, and long ones.
  const sizes = [65536 + 33, 9999];
  for (let size = 0; size < 400; size++) sizes.push(size);
  for (let size = 2040; size < 2260; size++) sizes.push(size);
  const random = numbers(5);
  const keys = [random(32), random(32), new Uint8Array(32).fill(255)];
  const most = Math.max(...sizes) + 16;
  const [at, out, where] = [
    put(random(most)),
    put(new Uint8Array(16)),
    put(keys[0]!),
  ];
  for (const [i, size] of sizes.entries()) {
    const key = keys[i % 3]!;
    // Not aligned, as the bytes behind a header are not.
    const from = at + i % 16;
    const bytes = new Uint8Array(memory.buffer);
    bytes.set(key, where);
    const expected = poly1305(bytes.slice(from, from + size), key);
    call.poly1305!(out, from, size, where);
    assert.is(get(out, 16).toString("hex"), expected, `${size} bytes`);
    const first = size * (i % 7) / 7 | 0;
    call.poly1305_parts!(out, from, first, size - first, where);
    assert.is(get(out, 16).toString("hex"), expected, `${first} of ${size}`);
  }
});

test("Poly1305 at its extremes: sums around 2^130, the largest and smallest r", () => {
  const blocks = ["ff".repeat(16), "00".repeat(16), "fb" + "ff".repeat(15)];
  blocks.push("01" + "00".repeat(15), "fa" + "ff".repeat(15));
  const rs = ["ff".repeat(16), "00".repeat(16), "01" + "00".repeat(15)];
  rs.push("02" + "00".repeat(15), "00".repeat(15) + "0f", "0f".repeat(16));
  // Carries that go all the way, and limbs of 13 bits at either end of their range.
  rs.push(
    "00100080000420000108400080000420".padEnd(32, "0"),
    "ffefff7ffffb".padEnd(32, "f"),
  );
  const out = put(new Uint8Array(16));
  for (const r of rs) {
    for (const pad of ["00", "ff"]) {
      const key = hex(r + pad.repeat(16));
      const k = put(key);
      for (const block of blocks) {
        for (const size of [16, 48, 64, 4096, 4096 + 15]) {
          const message = hex(block.repeat(257)).subarray(0, size);
          call.poly1305!(out, put(message), size, k);
          assert.is(
            get(out, 16).toString("hex"),
            poly1305(message, key),
            `${size} bytes of ${block}, ${r} ${pad}`,
          );
        }
      }
    }
  }
});

// NaCl's own tests: tests/{core1,stream,stream3,onetimeauth,secretbox}.c
const FIRST = hex(
  "1b27556473e985d462cd51197a9a46c7 6009549eac6474f206c4ee0844f68389",
);
const NONCE = hex("69696ee955b62b73cd62bda875fc73d6 8219e0036b7a0b37");
const SECOND = hex(
  "dc908dda0b9344a953629b7338207788 80f3ceb421bb61b91cbd4c3e66256ce4",
);
const MESSAGE = hex(
  `be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc
   e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31
   0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde
   048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864
   5e0705`,
);
const BOX = `f3ffc7703f9400e52a7dfb4b3d3305d9
   8e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a
   c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738
   b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da
   99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74
   e355a5`.replace(/\s/g, "");
const STREAM =
  "662b9d0e3463029156069b12f918691a98f7dfb2ca0393c96bbfc6b1fbd630a2";

test("HSalsa20: NaCl's core1", () => {
  assert.is(
    result(32, "hsalsa20", new Uint8Array(16), hex(SHARED)),
    FIRST.toString("hex"),
  );
});

test("Salsa20 and XSalsa20, four megabytes: NaCl's stream and stream2", () => {
  const size = 4_194_304;
  const sum = (text: string) =>
    createHash("sha256").update(Buffer.from(text, "hex")).digest("hex");
  assert.is(sum(result(size, "xsalsa20", size, NONCE, FIRST)), STREAM);
  assert.is(
    sum(result(size, "salsa20", size, NONCE.subarray(16), SECOND)),
    STREAM,
  );
});

/** libsodium's Salsa20, ours with shifts, and ours with products. */
const REFERENCE = 0;
const OURS = [1, 2];

test("Salsa20: eSTREAM, set 1, vector 0, each of them, one block and many", () => {
  const key = hex("80" + "00".repeat(31));
  const expected = "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5f" +
    "ad9f6844b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117";
  const [nonce, k] = [put(new Uint8Array(8)), put(key)];
  for (const which of [REFERENCE, ...OURS]) {
    for (const size of [64, 1000]) {
      const out = put(new Uint8Array(size));
      call.salsa20_xor_of!(which, out, out, size, nonce, 0, 0, k);
      assert.is(get(out, 64).toString("hex"), expected);
    }
  }
});

test("Salsa20 of ours, four megabytes: NaCl's stream2", () => {
  const size = 4_194_304;
  const [nonce, k] = [put(NONCE.subarray(16)), put(SECOND)];
  const out = put(new Uint8Array(size));
  for (const which of OURS) {
    new Uint8Array(memory.buffer).fill(0, out, out + size);
    call.salsa20_xor_of!(which, out, out, size, nonce, 0, 0, k);
    const sum = createHash("sha256").update(get(out, size)).digest("hex");
    assert.is(sum, STREAM);
  }
});

test("Salsa20: ours as libsodium's, for each size and at each carry", () => {
  // More than two groups of ten.
  const most = 1900;
  const noise = numbers(1);
  const [input, nonce, key] = [put(noise(most)), put(noise(8)), put(noise(32))];
  const outs = [REFERENCE, ...OURS].map(() => put(new Uint8Array(most)));
  const counters = [[0, 0], [0, 0xfffffff9], [7, 9]];
  for (let less = 2; less < 12; less++) counters.push([0xffffffff, -less]);
  for (const [high, low] of counters) {
    for (let size = 0; size <= most; size++) {
      // Not aligned, as the bytes behind a header are not.
      const shift = size % 16;
      const used = size - shift < 0 ? size : size - shift;
      const [expected, ...got] = outs.map((out, which) => {
        new Uint8Array(memory.buffer).fill(0, out, out + most);
        call.salsa20_xor_of!(
          which,
          out,
          input + shift,
          used,
          nonce,
          high!,
          low!,
          key,
        );
        // And nothing behind.
        return get(out, most);
      });
      for (const bytes of got) {
        assert.ok(bytes.equals(expected!), `${size} bytes at ${high}:${low}`);
      }
    }
  }
});

test("our boxes: NaCl's secretbox", () => {
  for (const which of OURS) {
    const box = put(new Uint8Array(MESSAGE.length + 16));
    const [nonce, key] = [put(NONCE), put(FIRST)];
    call.seal!(which, box, put(MESSAGE), MESSAGE.length, nonce, key);
    assert.is(get(box, MESSAGE.length + 16).toString("hex"), BOX);
  }
});

test("our boxes are libsodium's, for each size: from elsewhere, in place, opened before it", () => {
  const noise = numbers(3);
  const most = 1900;
  const [nonce, key] = [put(noise(24)), put(noise(32))];
  const text = noise(70_000);
  const [at, away] = [put(new Uint8Array(70_100)), put(text)];
  const wanted = put(new Uint8Array(70_100));
  const sizes = [4000, 65_537, 69_999];
  for (let size = 1; size < most; size++) sizes.push(size);
  for (const size of sizes) {
    call.secretbox!(wanted, away, size, nonce, key);
    const expected = get(wanted, size + 16);
    const which = OURS[size % 2]!;
    // The start of the message, as CURVE has it: 16 bytes in front.
    const box = at + size % 16 + 16;
    call.seal!(which, box, away, size, nonce, key);
    assert.ok(get(box, size + 16).equals(expected), `${size} bytes`);
    new Uint8Array(memory.buffer).set(text.subarray(0, size), box + 16);
    call.seal!(which, box, box + 16, size, nonce, key);
    assert.ok(get(box, size + 16).equals(expected), `${size} bytes in place`);
    const to = box - size % 17;
    assert.is(call.open!(which, to, box, size + 16, nonce, key), 0);
    assert.ok(get(to, size).equals(text.subarray(0, size)), `${size} opened`);
  }
});

test("a box of ours with any bit changed does not open, and nothing is written", () => {
  const [nonce, key] = [put(NONCE), put(FIRST)];
  const whole = hex(BOX);
  const box = put(whole);
  const out = put(new Uint8Array(MESSAGE.length));
  for (let bit = 0; bit < whole.length * 8; bit++) {
    new Uint8Array(memory.buffer)[box + (bit >> 3)]! ^= 1 << (bit & 7);
    assert.is(call.open!(1, out, box, whole.length, nonce, key), -1);
    new Uint8Array(memory.buffer)[box + (bit >> 3)]! ^= 1 << (bit & 7);
  }
  assert.ok(get(out, MESSAGE.length).every((byte) => byte === 0));
  assert.is(call.open!(2, out, box, whole.length, nonce, key), 0);
  assert.ok(get(out, MESSAGE.length).equals(MESSAGE));
});

test("Poly1305 and secretbox: NaCl's onetimeauth and secretbox", () => {
  const stream = result(32, "xsalsa20", 32, NONCE, FIRST);
  assert.is(
    stream,
    "eea6a7251c1e72916d11c2cb214d3c252539121d8e234e652d651fa4c8cff880",
  );
  const cipher = hex(BOX).subarray(16);
  assert.is(
    result(16, "poly1305", cipher, cipher.length, hex(stream)),
    BOX.slice(0, 32),
  );
  const size = MESSAGE.length;
  assert.is(result(size + 16, "secretbox", MESSAGE, size, NONCE, FIRST), BOX);
  assert.is(
    result(size, "secretbox_open", hex(BOX), size + 16, NONCE, FIRST),
    MESSAGE.toString("hex"),
  );
});

test("a secretbox with any bit changed does not open", () => {
  const [nonce, key] = [put(NONCE), put(FIRST)];
  const out = put(new Uint8Array(MESSAGE.length));
  const whole = hex(BOX);
  const box = put(whole);
  for (let bit = 0; bit < whole.length * 8; bit += 7) {
    new Uint8Array(memory.buffer)[box + (bit >> 3)]! ^= 1 << (bit & 7);
    assert.is(call.secretbox_open!(out, box, whole.length, nonce, key), -1);
    new Uint8Array(memory.buffer)[box + (bit >> 3)]! ^= 1 << (bit & 7);
  }
  assert.is(call.secretbox_open!(out, box, whole.length, nonce, key), 0);
});

test("box: NaCl's box", () => {
  const size = MESSAGE.length;
  const bob = hex(BOB.public);
  assert.is(
    result(size + 16, "box", MESSAGE, size, NONCE, bob, ALICE.secret),
    BOX,
  );
});

test.run();
