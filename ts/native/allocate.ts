import type { Host } from "../host/host.ts";
import type { Allocate } from "../syscall/bodies.ts";

type BufferLike = { allocUnsafeSlow(size: number): Uint8Array };
const NativeBuffer = (globalThis as { Buffer?: BufferLike }).Buffer;

/**
 * Memory of its own for a large frame, of the class that users of the runtime expect where it
 * has no content yet; then it is to be written at once, for it may hold anything. Throws a
 * RangeError when there is none.
 */
export const allocate: Allocate = (size, content) => {
  if (returned) keepFrom(size);
  // With content, an array is not filled with zeros before.
  if (content && cleared) return new Uint8Array(content);
  const memory = (size < LARGE ? undefined : better?.(size)) ??
    (NativeBuffer ? NativeBuffer.allocUnsafeSlow(size) : new Uint8Array(size));
  if (content) memory.set(content);
  return memory;
};

/** See `Host.clearsMemory`. */
let cleared = !NativeBuffer;

/** See `Host.largeMemory`. */
let better: Host["largeMemory"];

/** Smaller pieces come and go without the system. */
const LARGE = 32768;
/** The largest that changes it is of 32 MiB, with what the C library puts before it. */
const KEPT = 2 ** 25 - 2 ** 16;
/** Whether what is freed goes back to the system; undefined until a host says that it does. */
let returned: boolean | undefined;

/**
 * Memory as it is best for a host. Where it gives memory back, from the first large piece on
 * what was freed is kept for those to come: see `Host.returnsMemory`. The largest piece that was
 * freed decides how much; this one is never written to, so it takes no memory.
 */
export function suit(
  { returnsMemory, clearsMemory, largeMemory }: Pick<
    Host,
    "returnsMemory" | "clearsMemory" | "largeMemory"
  >,
): void {
  if (returnsMemory) returned ??= true;
  if (clearsMemory) cleared = true;
  better ??= largeMemory;
}

function keepFrom(size: number): void {
  if (size < LARGE) return;
  returned = false;
  try {
    new ArrayBuffer(KEPT);
  } catch {
    // Nobody waits for it: where there is no room, memory is given back as before.
  }
}
