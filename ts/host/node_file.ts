/**
 * The module for Node, from the file next to the bundle. As text in the bundle it took a
 * fifth of the time until the first socket is bound: to be read, scanned, kept and decoded.
 */

/** What node_core.ts gives to core.cjs. */
declare const readModule: () => Uint8Array<ArrayBuffer>;

export function wasm(): Uint8Array<ArrayBuffer> {
  return readModule();
}
