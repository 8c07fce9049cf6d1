/** LAYER 1 on Bun and Deno: flags of recv(2) and send(2), as Linux has them. */

/** A call that would wait fails instead. */
export const MSG_DONTWAIT = 0x40;
/** Both ignore the signal of a write to what is closed, but who knows who else handles it. */
const MSG_NOSIGNAL = 0x4000;
export const WRITES: number = MSG_DONTWAIT | MSG_NOSIGNAL;
