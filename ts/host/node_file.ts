/**
 * The module for Node, from the file next to the bundle. As text in the bundle it took a
 * fifth of the time until the first socket is bound: to be read, scanned, kept and decoded.
 */
import { builtin } from "./node_builtins.ts";

export function wasm(): Uint8Array<ArrayBuffer> {
  try {
    const file = new URL("./zeromq.wasm", import.meta.url);
    return builtin("node:fs").readFileSync(file);
  } catch (cause) {
    throw new Error(
      "zeromq.wasm is missing next to the program: copy it there from zeromq-wasm/dist, or " +
        'have the bundler use the condition "module", for which it is part of the program',
      { cause },
    );
  }
}
