/** dist/zeromq.wasm; build.sh makes the module. */
export const base64: string;
