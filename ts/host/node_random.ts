/** Random numbers, also of a program that has put something else in the place of `crypto`. */
import { builtin } from "./node_builtins.ts";

/** The most that one call may ask for. */
const MOST = 65536;

// Only Bun's, as it is when the package is loaded: Node loads it when it is first looked at, in
// the time that its own module takes, and that of Bun takes 10 ms.
const crypto = "Bun" in globalThis
  ? globalThis.crypto as Crypto | undefined
  : undefined;
const fill = crypto?.getRandomValues?.bind(crypto);

export function random(bytes: Uint8Array): void {
  if (!fill) {
    builtin("node:crypto").randomFillSync(bytes);
    return;
  }
  for (let start = 0; start < bytes.length; start += MOST) {
    fill(bytes.subarray(start, start + MOST) as Uint8Array<ArrayBuffer>);
  }
}
