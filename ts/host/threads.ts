/** LAYER 1, shared by the runtimes: what the threads of all of them agree on. */

/** The channel of all threads; the number is that of what is said there. */
export const CHANNEL = "zeromq-wasm.inproc.1";
