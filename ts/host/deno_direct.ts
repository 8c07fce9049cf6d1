/**
 * LAYER 1 on Deno: the system's own `recv`, `send` and their like, where the program may call them.
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
import { adviseHuge, LEAST_HUGE } from "./huge_pages.ts";
import { MSG_DONTWAIT, WRITES } from "./linux_flags.ts";
import { isInside, unpace } from "./pacing.ts";
import type { DenoConn, DenoLibrary, NetAddr } from "./deno_types.ts";

const LIBRARY = "libc.so.6";
const AF_INET = 2, AF_INET6 = 10;
const SOCKADDR_BYTES = 28;
/** Descriptors from here on are not searched for, nor any for so many connections. */
const MOST_DESCRIPTORS = 1024, MANY = 256;

const SYMBOLS = {
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  readv: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  /** Returns the first address; moves nothing if that is 0 bytes. */
  memmove: { parameters: ["buffer", "buffer", "usize"], result: "usize" },
} as const;

let library: DenoLibrary<typeof SYMBOLS> | undefined;
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

/** One end of a descriptor as `nameOf` has it; undefined if it is no socket of tcp. */
function endOf(
  fd: number,
  end: "getsockname" | "getpeername",
): string | undefined {
  addressSize[0] = SOCKADDR_BYTES;
  if (library!.symbols[end](fd, address, addressSize) !== 0) return undefined;
  // Linux runs Deno on little-endian processors only.
  const family = address[0]! | address[1]! << 8;
  const port = address[2]! << 8 | address[3]!;
  if (family === AF_INET) {
    return `${[...MAPPED, ...address.subarray(4, 8)]} ${port}`;
  }
  return family === AF_INET6
    ? `${[...address.subarray(8, 24)]} ${port}`
    : undefined;
}

/** The begin of an IPv4 address as IPv6 has it. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

/** An end of a connection by the bytes of its address; undefined for what is no IP literal. */
export function nameOf({ hostname, port }: NetAddr): string | undefined {
  const bytes = bytesOf(hostname ?? "");
  return bytes?.length === 16 ? `${bytes} ${port}` : undefined;
}

function bytesOf(host: string): number[] | undefined {
  // As in ::ffff:127.0.0.1.
  const [, before, dotted] = /^(.*:)?(\d+\.\d+\.\d+\.\d+)$/.exec(host) ?? [];
  const tail = dotted?.split(".").map(Number) ?? [];
  if (dotted !== undefined && before === undefined) return [...MAPPED, ...tail];
  const text = (before === undefined ? host : before.replace(/([^:]):$/, "$1"))
    .replace(/%.*$/, "");
  if (!text.includes(":")) return undefined;
  const groups = (part: string) =>
    part.split(":").filter(Boolean).map((group) => parseInt(group, 16))
      .flatMap((group) => [group >> 8, group & 255]);
  const [start, rest] = text.split("::") as [string, string | undefined];
  const first = groups(start), last = [...groups(rest ?? ""), ...tail];
  const zeros = new Array(Math.max(0, 16 - first.length - last.length)).fill(0);
  return [...first, ...zeros, ...last];
}

/** Where the last search ended: what is opened next is near. */
let near = 0;

/**
 * The descriptor of a connection that stands, for as long as that does; undefined where there
 * is none to be had. Addresses and ports of both its ends are compared, which no other has.
 */
export function descriptorOf(conn: DenoConn): number | undefined {
  const local = nameOf(conn.localAddr), far = nameOf(conn.remoteAddr);
  if (local === undefined || far === undefined || !opened()) return undefined;
  const is = (fd: number) =>
    endOf(fd, "getsockname") === local && endOf(fd, "getpeername") === far;
  const fd = find(conn, is);
  const isIn = isInside(conn.localAddr.hostname, conn.remoteAddr.hostname);
  if (fd !== undefined && isIn) unpace(fd, library!.symbols);
  return fd;
}

function find(
  conn: DenoConn,
  is: (fd: number) => boolean,
): number | undefined {
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

/** Reads what is there; 0 if nothing is, and at an end or an error: Deno's read finds the end. */
export function readNow(fd: number, memory: Uint8Array): number {
  const most = sizeOf(memory);
  const size = library!.symbols.recv(fd, memory, most, MSG_DONTWAIT);
  return Math.max(size, 0);
}

/** The system's vector of places, an address and a size each; on 64 bits, as all of Deno's. */
let vector = new BigUint64Array(32);

function fillVector(places: readonly Uint8Array[]): void {
  const count = places.length;
  if (vector.length < 2 * count) vector = new BigUint64Array(2 * count);
  for (let i = 0; i < count; i++) {
    const place = places[i]!;
    vector[2 * i] = addressOf(place);
    vector[2 * i + 1] = sizeOf(place);
  }
}

/**
 * Where bytes are. Deno's own answer takes ten times as long, and keeps each buffer it was asked
 * about in a WeakMap: what lives of that made V8's room for new objects grow, 1 MB to 32.
 */
const addressOf = (bytes: Uint8Array | BigUint64Array): bigint =>
  library!.symbols.memmove(bytes, bytes, 0n);

/** `Host.largeMemory`, where connections are read directly. */
export function largeMemory(size: number): Uint8Array | undefined {
  if (size < LEAST_HUGE || !library) return undefined;
  const memory = new Uint8Array(size);
  adviseHuge(Number(addressOf(memory)), size, library.symbols);
  return memory;
}

/** `readNow` to a place after the other, each with bytes. Deno's descriptors never wait. */
export function readAllNow(fd: number, places: readonly Uint8Array[]): number {
  fillVector(places);
  return Math.max(library!.symbols.readv(fd, vector, places.length), 0);
}

/** Writes what there is room for; 0 also at an error: Deno's write fails too. */
export function writeNow(fd: number, bytes: Uint8Array): number {
  const size = library!.symbols.send(fd, bytes, sizeOf(bytes), WRITES);
  return Math.max(size, 0);
}

/** The system's `msghdr`: where the vector is, and its length; no address, nothing else. */
const message = new BigUint64Array(7);
const VECTOR = 2, COUNT = 3;

/** `writeNow` of a piece after the other, each with bytes. */
export function writeAllNow(fd: number, pieces: readonly Uint8Array[]): number {
  fillVector(pieces);
  message[VECTOR] = addressOf(vector);
  message[COUNT] = BigInt(pieces.length);
  return Math.max(library!.symbols.sendmsg(fd, message, WRITES), 0);
}
