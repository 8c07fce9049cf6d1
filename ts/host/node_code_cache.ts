/**
 * What V8 made of the program, kept for the processes that follow, as Node's own compile cache
 * keeps it of modules. To compile what is called until the first socket is bound takes longer
 * than all else until then, a third of the time. Where the file cannot be written, or is not to
 * be, each process compiles again, and nothing else changes.
 */
import { builtin } from "./node_builtins.ts";
import { clearTimeout, setTimeout } from "./node_timers.ts";

/** By then a program has used its sockets, and V8 not yet dropped the code that it ran once. */
const SETTLED_MS = 500;

/** Programs whose flags have the same number replace each other's file if V8 has to. */
const FLAG_SETS = 16;

/** Of core.cjs; V8 itself compares no more than its length. */
declare const CORE_HASH: string;

export interface CodeCache {
  /** What a process before this one kept. */
  read(): Buffer | undefined;
  /** Keeps what `code` returns, when the program has run for a while, or ends. */
  keep(code: () => Uint8Array): void;
}

/** For this process's Node; none where a package must not write files. */
export function codeCache(module: string): CodeCache | undefined {
  const { arch, env, execArgv, platform, version, versions } = process;
  const chosen = env.NODE_COMPILE_CACHE;
  if (
    env.NODE_DISABLE_COMPILE_CACHE || versions.bun || versions.deno ||
    // The files of an Electron program may be signed, and no others may be among them.
    versions.electron ||
    // Copied to somewhere else, the package does not know whose folder it is in.
    !(chosen || module.includes("/node_modules/"))
  ) return undefined;
  let folder: string | undefined;
  try {
    // As the working directory is now; the program may change it before it ends.
    folder = chosen && builtin("node:path").resolve(chosen);
  } catch {
    return undefined; // It is gone.
  }
  const at = (name: string) =>
    folder ? `${folder}/${name}` : new URL(`./cache/${name}`, module);
  // V8 takes nothing that was made with other flags; each set has a file of its own, of a few:
  // among Node's are ports, paths and, after -e, whole programs. To ask V8 itself takes 2 ms.
  const flags = hash([...execArgv, env.NODE_OPTIONS].join(" ")) % FLAG_SETS;
  const name = `zeromq-${CORE_HASH}-${version}-${platform}-${arch}-${flags}`;
  const fs = builtin("node:fs");
  return {
    read() {
      try {
        return fs.readFileSync(at(name));
      } catch {
        return undefined;
      }
    },
    keep(code) {
      const write = () => {
        clearTimeout(timer);
        process.off("exit", write);
        // By a name of its own, as it takes a while, also of threads and after a crash: another
        // process must never see half of it, nor the next one after a power cut. V8 believes
        // what it reads.
        const part = at(`${name}.${Math.random().toString(36).slice(2)}`);
        try {
          fs.mkdirSync(at(""), { recursive: true });
          fs.writeFileSync(part, code(), { flush: true });
          fs.renameSync(part, at(name));
        } catch {
          // A folder of somebody else, or a full disk: this process needs no file.
          discard(part);
        }
      };
      const timer = setTimeout(write, SETTLED_MS).unref();
      process.once("exit", write);
    },
  };
}

function discard(file: string | URL): void {
  try {
    builtin("node:fs").unlinkSync(file);
  } catch {
    // It was not even begun.
  }
}

function hash(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value, 31) + text.charCodeAt(at) | 0;
  }
  return value >>> 0;
}
