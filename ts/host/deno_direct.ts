/**
 * LAYER 1 on Deno: the system's own `recv` and `send`, where the program may call them.
 *
 * Deno's reads and writes are promises, and what arrives is seen when its event loop asks the
 * system. Where --allow-ffi was given already, the C library is asked about the descriptor of
 * a connection instead: a bare ping-pong of 52 µs takes 16 to 25 µs so, what is written needs
 * no copy that lives until a promise resolves, and large frames are read to their place.
 * Everything works without; nobody is asked for the permission.
 *
 * Owns the library: opened (3 ms) when first needed, closed with the last connection, since Deno's
 * tests take an open one for a leak. Descriptors stay Deno's.
 */
import { deno } from "./deno_globals.ts";
import { stateOf } from "./deno_permissions.ts";
import { standing } from "./deno_standing.ts";
import type { DenoConn, DenoLibrary } from "./deno_types.ts";

const LIBRARY = "libc.so.6";
/** Of Linux. Deno's Rust ignores SIGPIPE, but who knows who else handles it. */
const MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000;
const AF_INET = 2, AF_INET6 = 10;
const SOCKADDR_BYTES = 28;
/** Descriptors from here on are not searched for, nor any for so many connections. */
const MOST_DESCRIPTORS = 1024, MANY = 256;

const SYMBOLS = {
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const;

let library: DenoLibrary<keyof typeof SYMBOLS> | undefined;
/** Whether it is not to be had: nobody tries again. */
let refused = false;

/** Whether the library is open now; opens it for the connections that stand. */
function opened(): boolean {
  if (library || refused) return !refused;
  refused = deno.build.os !== "linux" ||
    stateOf({ name: "ffi" }) !== "granted";
  if (refused) return false;
  try {
    library = deno.dlopen(LIBRARY, SYMBOLS);
  } catch {
    refused = true; // another C library: everything works without
    return false;
  }
  standing.whenEmpty(() => {
    library!.close();
    library = undefined;
  });
  return true;
}

const address = new Uint8Array(SOCKADDR_BYTES);
const addressSize = new Uint32Array(1);

/** The port at one end of a descriptor; undefined if it is no socket of tcp. */
function portOf(
  fd: number,
  end: "getsockname" | "getpeername",
): number | undefined {
  addressSize[0] = SOCKADDR_BYTES;
  if (library!.symbols[end](fd, address, addressSize) !== 0) return undefined;
  // Linux runs Deno on little-endian processors only.
  const family = address[0]! | address[1]! << 8;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  return address[2]! << 8 | address[3]!;
}

/** Where the last search ended: what is opened next is near. */
let near = 0;

/**
 * The descriptor of a connection that stands, for as long as that does; undefined where there
 * is none to be had. Both its ends are compared, so that it is never somebody else's.
 */
export function descriptorOf(conn: DenoConn): number | undefined {
  const { localAddr, remoteAddr } = conn;
  if (localAddr.port === undefined || !opened()) return undefined;
  const is = (fd: number) =>
    portOf(fd, "getsockname") === localAddr.port &&
    portOf(fd, "getpeername") === remoteAddr.port;
  // Not public, and only connections that were accepted have it.
  const symbol = Object.getOwnPropertySymbols(conn).find(({ description }) =>
    description === "Deno.internal.fd"
  );
  const told = symbol &&
    (conn as unknown as Record<symbol, unknown>)[symbol];
  if (typeof told === "number" && is(told)) return told;
  if (standing.size > MANY) return undefined;
  for (let i = 0; i < MOST_DESCRIPTORS; i++) {
    const fd = (near + i) % MOST_DESCRIPTORS;
    if (is(fd)) return near = fd;
  }
  return undefined;
}

/** A number would do, but V8 expects a BigInt: it compiled the callers again and again. */
const sizeOf = (bytes: Uint8Array): bigint => BigInt(bytes.length);

/** Reads what is there; 0 if nothing is, and at an end or an error, which Deno's read tells. */
export function readNow(fd: number, memory: Uint8Array): number {
  const most = sizeOf(memory);
  const size = library!.symbols.recv(fd, memory, most, MSG_DONTWAIT);
  return Math.max(size, 0);
}

/** Writes what there is room for; 0 also at an error, which Deno's write tells. */
export function writeNow(fd: number, bytes: Uint8Array, more: boolean): number {
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
  const size = library!.symbols.send(fd, bytes, sizeOf(bytes), flags);
  return Math.max(size, 0);
}
