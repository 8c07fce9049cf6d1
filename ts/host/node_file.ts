/**
 * The module for Node, from the file next to the bundle. As text in the bundle it took a
 * fifth of the time until the first socket is bound: to be read, scanned, kept and decoded.
 */
import { builtin } from "./node_builtins.ts";

const CONDITION =
  'have the bundler use the condition "module", for which it is part of the program';

export function wasm(): Uint8Array<ArrayBuffer> {
  const { readFileSync } = builtin("node:fs");
  // Bundlers that make a CommonJS module of this one leave it undefined.
  const here = import.meta.url as string | undefined;
  if (here === undefined) {
    throw new Error(
      `zeromq.wasm cannot be found without import.meta.url: ${CONDITION}`,
    );
  }
  try {
    // In these words, by which bundlers know a file of the program.
    return readFileSync(new URL("./zeromq.wasm", import.meta.url));
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "ENOENT") throw cause;
    throw new Error(
      "zeromq.wasm is missing next to the program: copy it there from zeromq-wasm/dist, or " +
        CONDITION,
      { cause },
    );
  }
}
