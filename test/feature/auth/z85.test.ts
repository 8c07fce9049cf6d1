import { suite } from "uvu";
import * as assert from "uvu/assert";
import { curveKeyPair, curvePublicKey } from "zeromq-wasm";
import { z85Decode, z85Encode } from "zeromq-wasm/auth";

const test = suite("Z85");

const HELLO = Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);

test("the example of RFC 32", () => {
  assert.is(z85Encode(HELLO), "HelloWorld");
  assert.equal([...z85Decode("HelloWorld")], [...HELLO]);
});

test("the keys in libzmq's manual: binary in zmq_curve.txt, text in its tests", () => {
  // man zmq_curve: the client's keys, and the public one of its secret one.
  assert.is(
    curvePublicKey("D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"),
    "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  );
  assert.is(
    curvePublicKey("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"),
    "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  );
});

test("a round trip of every byte and of the extremes", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.equal(z85Decode(z85Encode(all)), all);
  for (const bytes of [[], [0, 0, 0, 0], [255, 255, 255, 255]]) {
    assert.equal([...z85Decode(z85Encode(Uint8Array.from(bytes)))], bytes);
  }
  assert.is(z85Encode(Uint8Array.of(255, 255, 255, 255)), "%nSc0");
});

test("part of a larger buffer", () => {
  const padded = Uint8Array.of(9, ...HELLO, 9);
  assert.is(z85Encode(padded.subarray(1, 9)), "HelloWorld");
});

test("what is not Z85 is an error that does not show it", () => {
  const secret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh";
  const bad = ["Hell", "Hello ", 'Hell"', "Hellö", "#####", "%nSc1", secret];
  for (const text of bad) {
    let message = "";
    try {
      z85Decode(text);
    } catch (error) {
      assert.instance(error, RangeError);
      message = (error as Error).message;
    }
    assert.match(message, /Z85/, `no error for ${text}`);
    assert.not.match(message, text.slice(0, 4));
  }
  assert.throws(() => z85Encode(new Uint8Array(7)), /multiples of 4/);
});

test("the public key of a secret key", () => {
  const { publicKey, secretKey } = curveKeyPair();
  assert.is(curvePublicKey(secretKey), publicKey);
  for (const bad of ["", "short", secretKey + "x", `${secretKey.slice(1)}"`]) {
    let error = { code: "", message: "" };
    try {
      curvePublicKey(bad);
    } catch (caught) {
      error = caught as typeof error;
    }
    assert.is(error.code, "EINVAL");
    assert.not.ok(error.message.includes(secretKey.slice(1, 8)));
  }
});

test.run();
