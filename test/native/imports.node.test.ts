/** The shapes of what the module imports: engines compile a function for each at start. */
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("imports");

/** The types of the imported functions by their names, read from the module's sections. */
function shapes(bytes: Uint8Array): Map<string, string> {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const take = () => {
    const size = number();
    return bytes.subarray(at, at += size);
  };
  const types: string[] = [];
  const found = new Map<string, string>();
  while (at < bytes.length) {
    const id = bytes[at++];
    const end = number() + at;
    if (id === 1) {
      for (let left = number(); left > 0; left--) {
        at++; // a function
        types.push(`${[...take()]} to ${[...take()]}`);
      }
    } else if (id === 2) {
      for (let left = number(); left > 0; left--) {
        take();
        const name = new TextDecoder().decode(take());
        const kind = bytes[at++];
        if (kind !== 0) break; // the memory comes last
        found.set(name, types[number()]!);
      }
    }
    at = end;
  }
  return found;
}

const F64 = 0x7c, I32 = 0x7f;

test("all but `now` have one shape", () => {
  const found = shapes(readFileSync("dist/zeromq.wasm"));
  assert.is(found.get("now"), ` to ${F64}`);
  found.delete("now");
  assert.ok(found.has("send"));
  const word = [I32, I32, I32, I32];
  for (const [name, shape] of found) {
    assert.is(shape, `${word} to ${I32}`, name);
  }
});

test.run();
