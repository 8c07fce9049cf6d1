/** dist/zeromq.wasm: in base64, or what reads the file. build.sh makes the one module. */
export const wasm: string | (() => Uint8Array<ArrayBuffer>);
