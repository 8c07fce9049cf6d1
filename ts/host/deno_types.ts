/**
 * LAYER 1 on Deno: the parts of Deno's API that deno.ts uses, typed.
 *
 * Written out because this project is compiled without Deno's own library; signatures follow
 * `deno types` of Deno 2.9. Also reaches the Node globals that Deno offers without any import.
 */
import type { V8Statistics } from "./v8_memory.ts";

export interface NetAddr {
  readonly hostname?: string;
  readonly port?: number;
}

export interface DenoConn {
  readonly localAddr: NetAddr;
  readonly remoteAddr: NetAddr;
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  unref(): void;
  /** Only on tcp. */
  setNoDelay?(on: boolean): void;
  setKeepAlive?(on: boolean): void;
}

export interface DenoListener {
  readonly addr: NetAddr;
  accept(): Promise<DenoConn>;
  close(): void;
  unref(): void;
}

export interface DenoChannel {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  unref(): void;
}

export interface DenoMembership {
  leave(): Promise<void>;
  setLoopback(on: boolean): Promise<void>;
  /** Only for IPv4. */
  setTTL?(hops: number): Promise<void>;
}

export interface DenoDatagramConn {
  readonly addr: NetAddr;
  joinMulticastV4(group: string, address: string): Promise<DenoMembership>;
  joinMulticastV6(group: string, index: number): Promise<DenoMembership>;
  receive(buffer: Uint8Array): Promise<[Uint8Array, NetAddr]>;
  send(
    bytes: Uint8Array,
    to: { transport: "udp"; hostname: string; port: number },
  ): Promise<number>;
  close(): void;
  unref(): void;
}

export type PermissionDescriptor =
  | { name: "net"; host?: string }
  | { name: "read" | "write"; path: string }
  | { name: "sys"; kind: string }
  | { name: "env"; variable: string }
  | { name: "ffi" };

/** Functions of a library, as `dlopen` is told of them. */
export type DenoSymbols = Readonly<
  Record<
    string,
    {
      readonly parameters: readonly string[];
      readonly result: "i32" | "usize";
    }
  >
>;

/** None of its functions is called with anything but these. */
export interface DenoLibrary<Symbols extends DenoSymbols> {
  readonly symbols: {
    readonly [Name in keyof Symbols]: (
      ...values: (number | bigint | Uint8Array | Uint32Array | BigUint64Array)[]
    ) => Symbols[Name]["result"] extends "i32" ? number : bigint;
  };
  close(): void;
}

interface UnixOptions {
  transport: "unix";
  path: string;
}

export interface DenoApi {
  readonly build: { readonly os: string };
  readonly env: { get(name: string): string | undefined };
  readonly permissions: {
    querySync(
      descriptor: PermissionDescriptor,
    ): { state: "granted" | "denied" | "prompt" };
    requestSync(
      descriptor: PermissionDescriptor,
    ): { state: "granted" | "denied" | "prompt" };
  };
  connect(
    options:
      | { hostname: string; port: number; signal?: AbortSignal }
      | UnixOptions,
  ): Promise<DenoConn>;
  listen(
    options:
      | { hostname: string; port: number; tcpBacklog?: number }
      | UnixOptions,
  ): DenoListener;
  /** Only with --unstable-net. */
  listenDatagram?(options: {
    transport: "udp";
    hostname: string;
    port: number;
    reuseAddress: boolean;
  }): DenoDatagramConn;
  resolveDns(
    name: string,
    type: "A" | "AAAA",
    options: { signal?: AbortSignal | undefined },
  ): Promise<string[]>;
  networkInterfaces(): {
    name: string;
    address: string;
    family: "IPv4" | "IPv6";
    scopeid: number | null;
  }[];
  readonly version: { readonly deno: string; readonly v8?: string };
  makeTempDirSync(options: { prefix: string }): string;
  cwd(): string;
  lstatSync(
    path: string,
  ): { isDirectory: boolean; dev: number; ino: number | null };
  renameSync(from: string, to: string): void;
  removeSync(path: string): void;
  unrefTimer(timer: unknown): void;
  dlopen<Symbols extends DenoSymbols>(
    path: string,
    symbols: Symbols,
  ): DenoLibrary<Symbols>;
}

/** What deno.ts takes from the global object; not typed by the standard library alone. */
export interface DenoGlobals {
  readonly Deno: DenoApi;
  readonly navigator: { readonly hardwareConcurrency: number };
  readonly process: {
    nextTick(task: () => void): void;
    emitWarning(message: string): void;
    getBuiltinModule(name: "node:v8"): V8Statistics;
    getBuiltinModule(name: "node:worker_threads"): {
      BroadcastChannel: new (name: string) => DenoChannel;
    };
  };
  /** Deno 2.4 has it. */
  setImmediate(task: () => void): unknown;
  queueMicrotask(task: () => void): void;
  setTimeout(task: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  setInterval(task: () => void, ms: number): unknown;
  clearInterval(timer: unknown): void;
}
