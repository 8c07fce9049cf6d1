/**
 * Node's own modules, each loaded when it is first used: all of them together took a third
 * of the import, and a program that only binds a socket needs one.
 */
import type { BunFfi } from "./bun_library.ts";
import type * as Crypto from "node:crypto";
import type * as Dgram from "node:dgram";
import type * as Dns from "node:dns";
import type * as Fs from "node:fs";
import type * as Module from "node:module";
import type * as Net from "node:net";
import type * as Os from "node:os";
import type * as Path from "node:path";
import type * as Timers from "node:timers";
import type * as Urls from "node:url";
import type * as Util from "node:util";
import type * as V8 from "node:v8";
import type * as Vm from "node:vm";
import type * as Workers from "node:worker_threads";

interface Builtins {
  "node:crypto": typeof Crypto;
  "node:dgram": typeof Dgram;
  "node:dns": typeof Dns;
  "node:fs": typeof Fs;
  "node:module": typeof Module;
  "node:net": typeof Net;
  "node:os": typeof Os;
  "node:path": typeof Path;
  "node:timers": typeof Timers;
  "node:url": typeof Urls;
  "node:util": typeof Util;
  "node:v8": typeof V8;
  "node:vm": typeof Vm;
  "node:worker_threads": typeof Workers;
  "bun:ffi": BunFfi;
}

const loaded: Partial<Builtins> = {};

// Not `createRequire`, to import which took 1 ms of the 30 until the first socket is bound.
const { getBuiltinModule } = process;
if (!getBuiltinModule) {
  const { bun } = process.versions;
  throw new Error(
    bun
      ? `zeromq-wasm needs Bun 1.4 or later; this is ${bun}`
      : `zeromq-wasm needs Node 20.16, 22.3 or later; this is ${process.version}`,
  );
}

export function builtin<Name extends keyof Builtins>(
  name: Name,
): Builtins[Name] {
  return loaded[name] ??= getBuiltinModule(name) as unknown as Builtins[Name];
}
