/**
 * Reading and setting one option of libzmq: types are checked here, what a value
 * means and whether it is in range is libzmq's.
 */
import * as C from "zeromq-wasm:constants";
import type { ZmqError } from "../errors.ts";
import { encoder } from "../host/text.ts";
import type { Reactor } from "../reactor/reactor.ts";
import { errnoOf } from "../syscall/errno.ts";
import { zmqError } from "./context.ts";
import { fits, type Option } from "./options.ts";
import type { Target } from "./outbox.ts";

/** Endpoints may be longer than other texts, and libzmq does not say how long. */
const TEXT_BYTES = 1024, LONG_BYTES = 65536;
/** A key in Z85, with the zero byte that libzmq puts behind it. */
const KEY_BYTES = 41;

/** Not to be shown, nor kept longer than needed; by number, as subclasses have no names. */
const SECRETS = [
  C.ZMQ_PLAIN_PASSWORD,
  C.ZMQ_CURVE_SECRETKEY,
  C.ZMQ_SOCKS_PASSWORD,
];

/** How many bytes libzmq may write for a value. */
function roomFor(kind: Option["kind"]): number {
  if (kind === "text" || kind === "bytes") return TEXT_BYTES;
  if (kind === "key") return KEY_BYTES;
  return kind === "i64" || kind === "u64" ? 8 : 4;
}

export function getOption(
  reactor: Reactor,
  socket: number,
  option: Option,
): unknown {
  try {
    return read(reactor, socket, option, roomFor(option.kind));
  } catch (error) {
    const mayBeLong = option.id === C.ZMQ_LAST_ENDPOINT;
    if (!mayBeLong || (error as ZmqError).code !== "EINVAL") throw error;
    return read(reactor, socket, option, LONG_BYTES);
  }
}

function read(
  reactor: Reactor,
  socket: number,
  { id, kind }: Option,
  room: number,
): unknown {
  const { memory } = reactor.instance;
  const padded = (room + 7) & ~7;
  return memory.withSpace(padded + 4, (ptr) => {
    const sizeAt = ptr + padded;
    memory.words[sizeAt >> 2] = room;
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
      default: {
        const value = memory.text(ptr, memory.words[sizeAt >> 2]!);
        // The one with a length may have zero bytes of its own.
        const end = kind === "bytes" ? -1 : value.indexOf("\0");
        const text = end < 0 ? value : value.slice(0, end);
        return text === "" ? null : text;
      }
    }
  });
}

export function setOption(
  reactor: Reactor,
  socket: Target,
  name: string,
  option: Option,
  value: unknown,
): void {
  const { id } = option;
  const bytes = encode(option, value);
  if (bytes === undefined) throw refused(reactor, name, option, value);
  const { pointer } = socket;
  // A view of the program's own class may have closed it.
  if (pointer === 0) throw zmqError(reactor.host, "EBADF");
  const rc = reactor.instance.memory.withBytes(
    bytes,
    (ptr, size) =>
      reactor.call(
        "zmq_setsockopt",
        pointer,
        id,
        value === null ? 0 : ptr,
        value === null ? 0 : size,
      ),
  );
  const errno = rc === 0 ? 0 : reactor.call("zmq_errno");
  if (SECRETS.includes(id)) {
    // libzmq's copies on the stack, and ours; the caller's bytes are the caller's.
    reactor.call("zw_wipe_stack");
    if (bytes !== value) bytes.fill(0);
  }
  if (rc === 0) return;
  throw errno === errnoOf("EINVAL")
    ? refused(reactor, name, option, value)
    : zmqError(reactor.host, errno);
}

const UNSHOWN = "the value given";

function show(value: unknown): string {
  try {
    return String(value);
  } catch {
    return UNSHOWN; // a view of memory that was transferred away has no text
  }
}

/** EINVAL, with what was given and what would do. */
export function refused(
  { host }: Reactor,
  name: string,
  { id, takes }: Option,
  value: unknown,
): Error {
  const shown = SECRETS.includes(id) ? UNSHOWN : show(value);
  return zmqError(host, "EINVAL", {
    message: `Invalid argument: ${name} = ${shown}` +
      (takes === undefined ? "" : ` (takes ${takes})`),
  });
}

const ULONG_MAX = 2n ** 64n - 1n;

/** A whole number; fractions are cut off, as the native package does. */
export function wholeNumber(value: unknown): number {
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError("Option value must be a number");
  }
  return Math.trunc(value);
}

/** The bytes of a value, or undefined if it does not fit. Throws a TypeError. */
function encode(
  { kind, most }: Option,
  value: unknown,
): Uint8Array | undefined {
  switch (kind) {
    case "text":
    case "bytes":
    case "key":
      if (value === null) return new Uint8Array(0);
      if (typeof value === "string") return encoder.encode(value);
      if (value instanceof Uint8Array) return value;
      if (ArrayBuffer.isView(value)) {
        const { buffer, byteOffset, byteLength } = value;
        return new Uint8Array(buffer, byteOffset, byteLength).slice();
      }
      throw new TypeError("Option value must be a string or buffer");
    case "bool":
      if (typeof value !== "boolean") {
        throw new TypeError("Option value must be a boolean");
      }
      return new Uint8Array(Int32Array.of(Number(value)).buffer);
  }
  const number = wholeNumber(value);
  if (most !== undefined && !fits(number, 0, most)) return undefined;
  switch (kind) {
    case "i32":
      if (!fits(number, -(2 ** 31), 2 ** 31 - 1)) return undefined;
      return new Uint8Array(Int32Array.of(number).buffer);
    case "u32":
      if (!fits(number, 0, 2 ** 32 - 1)) return undefined;
      return new Uint8Array(Uint32Array.of(number).buffer);
    case "i64":
      // The largest number below 2^63.
      if (!fits(number, -(2 ** 63), 2 ** 63 - 1024)) return undefined;
      return new Uint8Array(BigInt64Array.of(BigInt(number)).buffer);
    case "u64": {
      // As the native package does it, what is out of range becomes its end.
      const near = number < 2 ** 64 ? BigInt(Math.max(0, number)) : ULONG_MAX;
      return new Uint8Array(BigUint64Array.of(near).buffer);
    }
  }
}
