/** Adds an export to a WebAssembly module: one more name for a function it exports. */
export function withExport(wasm: Buffer, name: string, like: string): Buffer {
  const EXPORTS = 7;
  let at = 8; // After the magic number and the version.
  while (at < wasm.length) {
    const id = wasm[at]!;
    const [size, body] = number(wasm, at + 1);
    if (id === EXPORTS) {
      const [count, entries] = number(wasm, body);
      const old = wasm.subarray(entries, body + size);
      const found = old.indexOf(Buffer.concat([text(like), Buffer.of(0)]));
      if (found === -1) throw new Error(`${like} is not exported`);
      const [index] = number(old, found + text(like).length + 1);
      const section = Buffer.concat([
        leb(count + 1),
        old,
        text(name),
        Buffer.of(0),
        leb(index),
      ]);
      return Buffer.concat([
        wasm.subarray(0, at + 1),
        leb(section.length),
        section,
        wasm.subarray(body + size),
      ]);
    }
    at = body + size;
  }
  throw new Error("the module has no exports");
}

/** A number in LEB128, and where the rest begins. */
function number(bytes: Buffer, at: number): [value: number, rest: number] {
  let value = 0;
  for (let shift = 0;; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value: number): Buffer {
  const bytes = [];
  for (; value >= 0x80; value >>>= 7) bytes.push(value & 0x7f | 0x80);
  return Buffer.of(...bytes, value);
}

const text = (name: string): Buffer =>
  Buffer.concat([leb(Buffer.byteLength(name)), Buffer.from(name)]);
