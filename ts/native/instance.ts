/**
 * One instance of libzmq: compiled once, instantiated per context, so that an abort
 * or its memory is one context's.
 */
import { wasm } from "zeromq-wasm:bytes";
import { outOfMemory } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { fromBase64 } from "../host/text.ts";
import { type Allocate, Bodies } from "../syscall/bodies.ts";
import { FdTable } from "../syscall/fd_table.ts";
import type { Kernel } from "../syscall/kernel.ts";
import { type Trace, traceCalls } from "../syscall/trace.ts";
import { allocate, suit } from "./allocate.ts";
import { allocateWithGarbage } from "./garbage.ts";
import { Abort, type ImportTarget, makeImports } from "./imports.ts";
import { type Exports, Memory } from "./memory.ts";

let compiled: WebAssembly.Module | undefined;

function compile(): WebAssembly.Module {
  if (!("WebAssembly" in globalThis)) {
    throw new Error(
      "zeromq-wasm needs WebAssembly, which is switched off here",
    );
  }
  return compiled ??= new WebAssembly.Module(
    typeof wasm === "string" ? fromBase64(wasm) : wasm(),
  );
}

export interface InstanceOptions {
  /** The most memory in bytes that the module may have. */
  readonly memoryLimit: number;
  /** Told of every call that the module makes, and of everything that enters it. */
  readonly trace?: Trace | undefined;
}

const PAGE_BYTES = 65536;
/** As the module was linked: it starts with the one, and can never have more than the other. */
const FIRST_PAGES = 64, MOST_PAGES = 32768;
/** What an instance may use unless its context says otherwise: all that the module can address. */
export const MEMORY_LIMIT: number = MOST_PAGES * PAGE_BYTES;

const DIGITS = "0123456789", HEX = DIGITS + "abcdefABCDEF";

function isMadeOf(text: string, characters: string): boolean {
  return text !== "" && [...text].every((one) => characters.includes(one));
}

/**
 * Whether an endpoint is of an IP address without a scope, or of all. (A regular expression
 * takes longer than all of this the first time, which most programs wait for once.)
 */
function isLiteral(endpoint: string): boolean {
  const [scheme, , authority = ""] = endpoint.split("/", 3);
  if (scheme !== "tcp:" && scheme !== "ws:") return false;
  const colon = authority.lastIndexOf(":");
  if (!isMadeOf(authority.slice(colon + 1), DIGITS + "*")) return false;
  const host = authority.slice(0, colon);
  if (host === "*") return true;
  if (isMadeOf(host, DIGITS + ".")) return host.split(".").length === 4;
  return host.startsWith("[") && host.endsWith("]") &&
    isMadeOf(host.slice(1, -1), HEX + ":.");
}

const SYSTEM_CALLS = [
  "connect",
  "listen",
  "send",
  "sendBody",
  "read",
  "setOption",
  "close",
] as const;
const DATAGRAM_CALLS = [
  "bind",
  "setMulticast",
  "send",
  "receive",
  "close",
] as const;
const EVENTS = [
  "input",
  "connected",
  "writable",
  "eof",
  "failed",
  "incoming",
] as const;

function makeMemory(maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum });
  } catch (cause) {
    const message =
      "Out of memory: the runtime could not reserve what it needs for a context " +
      "(8 GB of addresses and more with V8; is there a limit, as by ulimit -v?)";
    throw outOfMemory({ message, cause });
  }
}

export class Instance {
  readonly memory: Memory;
  readonly fds: FdTable;
  /** libzmq's and our functions; calls go through `call` or the reactor. */
  readonly exports: Exports;
  readonly #target: ImportTarget;
  readonly #limit: number;
  /** Makes memory for a large frame. */
  readonly allocate: Allocate;
  /** The same for many small ones. */
  readonly allocateBatch: Allocate;
  /** Why the instance can no longer be used. */
  dead: Error | undefined;

  /** `memoryLimit` in bytes, rounded to pages of 64 KiB. */
  constructor(host: Host, kernel: Kernel, options: InstanceOptions) {
    suit(host);
    this.allocate = host.marksEarly === undefined
      ? allocate
      : allocateWithGarbage(host.marksEarly);
    // 1 KB, thousands a second: Deno 874 and 1132 if these count too, Node 24 1178 and 1107.
    this.allocateBatch = host.marksEarly?.buffer ? this.allocate : allocate;
    this.fds = new FdTable(host, kernel, this.allocate);
    if (options.trace) {
      traceCalls(this.fds, "call ", SYSTEM_CALLS, options.trace);
      traceCalls(this.fds.datagrams, "udp  ", DATAGRAM_CALLS, options.trace);
      traceCalls(kernel, "event", EVENTS, options.trace);
    }
    this.#limit = Math.min(options.memoryLimit, MEMORY_LIMIT);
    const wanted = Math.ceil(this.#limit / PAGE_BYTES);
    const maximum = Math.max(wanted, FIRST_PAGES);
    const module = compile();
    const memory = makeMemory(maximum);
    this.#target = {
      host,
      fds: this.fds,
      stderr: "",
      literal: false,
      memory: undefined as unknown as Memory,
      bodies: new Bodies(
        host.readsInPlace ? maximum * PAGE_BYTES : 0,
        this.allocate,
      ),
    };
    const imports = makeImports(this.#target);
    const { exports } = new WebAssembly.Instance(
      module,
      { ...imports, env: { memory } },
    );
    this.exports = exports as unknown as Exports;
    this.memory = this.#target.memory = new Memory(memory, this.exports);
    this.exports._initialize();
    this.exports.zw_limit_memory!(maximum * PAGE_BYTES);
    if (host.shiftsSlowly) this.exports.zw_multiply!(1);
  }

  /** The large messages outside of its memory. */
  get bodies(): Bodies {
    return this.#target.bodies;
  }

  /**
   * Runs `call`, which resolves an endpoint to bind: libzmq first looks for an interface of
   * that name, which takes a runtime long to find out.
   */
  resolving<T>(endpoint: string, call: () => T): T {
    this.#target.literal = isLiteral(endpoint);
    try {
      return call();
    } finally {
      this.#target.literal = false;
    }
  }

  /** Turns what escaped from the module into an error, and marks the instance dead. */
  fail(error: unknown): Error {
    if (this.dead) return this.dead;
    const text = error instanceof Abort
      ? error.message
      : this.#target.stderr.trim() || String(error);
    const more = /out of memory/i.test(text)
      ? `. The memoryLimit of the context is ${this.#limit} bytes; it has ended, a new one works`
      : "";
    this.dead = new Error(`libzmq failed: ${text}${more}`, { cause: error });
    // Only when it is read V8 makes text of a stack, and lets go of the objects on it: sockets,
    // which would be held as long as this is.
    for (const each of [this.dead, error]) {
      void (each as Error | undefined)?.stack;
    }
    this.fds.closeAll();
    this.bodies.clear();
    return this.dead;
  }
}
