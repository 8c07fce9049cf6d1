/**
 * Reading and setting one option of libzmq: types and ranges are checked here,
 * what a value means is libzmq's.
 */
import type { Reactor } from "../reactor/reactor.ts";
import { zmqError } from "./context.ts";
import { fits, type Option } from "./options.ts";

const TEXT_BYTES = 1024;

export function getOption(
  reactor: Reactor,
  socket: number,
  { id, kind }: Option,
): unknown {
  const { memory } = reactor.instance;
  const room = kind === "text" ? TEXT_BYTES : 8;
  return memory.withSpace(
    room + 4,
    (ptr) => {
      const sizeAt = ptr + room;
      const isKey = id >= 48 && id <= 50;
      const size = kind === "text"
        ? (isKey ? 41 : TEXT_BYTES)
        : kind === "i64" || kind === "u64"
        ? 8
        : 4;
      memory.words[sizeAt >> 2] = size;
      if (reactor.call("zmq_getsockopt", socket, id, ptr, sizeAt) !== 0) {
        throw zmqError(reactor.host, reactor.call("zmq_errno"));
      }
      const view = new DataView(memory.bytes.buffer, ptr, room);
      switch (kind) {
        case "bool":
          return view.getInt32(0, true) !== 0;
        case "i32":
          return view.getInt32(0, true);
        case "u32":
          return view.getUint32(0, true);
        case "i64":
          return Number(view.getBigInt64(0, true));
        case "u64":
          return Number(view.getBigUint64(0, true));
        case "text": {
          const used = memory.words[sizeAt >> 2]!;
          const text = memory.text(ptr, used).replace(/\0[^]*$/, "");
          return text === "" ? null : text;
        }
      }
    },
  );
}

export function setOption(
  reactor: Reactor,
  socket: number,
  name: string,
  { id, kind }: Option,
  value: unknown,
): void {
  const { memory } = reactor.instance;
  const secret = /secret|password/i.test(name);
  const bytes = encode(kind, value);
  const rc = bytes
    ? memory.withBytes(
      bytes,
      (ptr, size) =>
        reactor.call(
          "zmq_setsockopt",
          socket,
          id,
          value === null ? 0 : ptr,
          value === null ? 0 : size,
        ),
    )
    : -1;
  const errno = rc === 0 ? 0 : bytes ? reactor.call("zmq_errno") : "EINVAL";
  if (secret) {
    // libzmq's copies on the stack, and ours; the caller's bytes are the caller's.
    reactor.call("zw_wipe_stack");
    if (bytes !== value) bytes?.fill(0);
  }
  if (rc !== 0) {
    const shown = secret ? "the value given" : String(value);
    throw zmqError(reactor.host, errno, {
      message: `Invalid argument: ${name} = ${shown}`,
    });
  }
}

const MOST_U64 = 2n ** 64n - 1n;

/** The value as C has it; undefined if it has no room there. */
function encode(kind: Option["kind"], value: unknown): Uint8Array | undefined {
  if (kind === "text") {
    if (value === null) return new Uint8Array(0);
    if (typeof value === "string") return new TextEncoder().encode(value);
    if (value instanceof Uint8Array) return value;
    throw new TypeError("Option value must be a string or buffer");
  }
  if (kind === "bool") {
    if (typeof value !== "boolean") {
      throw new TypeError("Option value must be a boolean");
    }
    return new Uint8Array(Int32Array.of(Number(value)).buffer);
  }
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError("Option value must be a number");
  }
  switch (kind) {
    case "i32":
      if (!fits(value, -(2 ** 31), 2 ** 31 - 1)) return undefined;
      return new Uint8Array(Int32Array.of(value).buffer);
    case "u32":
      if (!fits(value, 0, 2 ** 32 - 1)) return undefined;
      return new Uint8Array(Uint32Array.of(value).buffer);
    case "i64":
      // The largest number below 2^63.
      if (!fits(value, -(2 ** 63), 2 ** 63 - 1024)) return undefined;
      return new Uint8Array(BigInt64Array.of(BigInt(Math.trunc(value))).buffer);
    case "u64": {
      // As the native package does it, what is out of range becomes its end.
      const near = value < 2 ** 64
        ? BigInt(Math.max(0, Math.trunc(value)))
        : MOST_U64;
      return new Uint8Array(BigUint64Array.of(near).buffer);
    }
  }
}
