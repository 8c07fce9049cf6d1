/**
 * Tests of this folder run against this package, and against the native one by
 * `native.node.test.ts`: "zeromq-wasm" is then the native package.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DENO, isDeno, PATIENCE_MS } from "../socket/tools.ts";
import { DIFFERENCES } from "./differences.ts";

/** The native package's folder, if it is what is tested. */
const native = process.env["ZEROMQ_NATIVE"];
export const isNative = native !== undefined;

/** What to expect where the two differ: on purpose, and with a reason in the list. */
export function differs<T>(
  name: keyof typeof DIFFERENCES,
  { native, ours }: { native: T; ours: T },
): T {
  if (!(name in DIFFERENCES)) throw new Error(`not in the list: ${name}`);
  return isNative ? native : ours;
}

/** How an operation ended: "ok", or the code of its error; "throws CODE" if at once. */
export async function outcome(
  operation: () => unknown,
  message = false,
): Promise<string> {
  const show = (error: unknown) => {
    const { code, name, message: text } = error as Error & { code?: string };
    return message ? `${code ?? name}: ${text}` : code ?? name;
  };
  let result: unknown;
  try {
    result = operation();
  } catch (error) {
    return `throws ${show(error)}`;
  }
  try {
    await result;
    return "ok";
  } catch (error) {
    return show(error);
  }
}

let serial = 0;

export interface Ended {
  readonly code: number | null;
  readonly out: string[];
  readonly err: string;
  readonly took: number;
}

/** Runs a program with `z` being the package, in a process of its own. */
export function run(code: string): Promise<Ended> {
  const specifier = isNative ? `${native}/lib/index.js` : "zeromq-wasm";
  const program = `import * as z from ${JSON.stringify(specifier)};\n${code}`;
  // In the project, so that it finds the package; not by stdin, which is a handle too.
  const folder = join("build", "test", "programs");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${process.pid}-${++serial}.mjs`);
  writeFileSync(file, program);
  const [command, args] = isDeno
    ? [DENO, ["run", "-A", "--quiet", file]]
    : [process.execPath, [file]];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "", err = "";
    const started = performance.now();
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`did not end:\n${code}\n${out}\n${err}`));
    }, PATIENCE_MS);
    child.stdout.setEncoding("utf8").on("data", (text: string) => out += text);
    child.stderr.setEncoding("utf8").on("data", (text: string) => err += text);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      const took = performance.now() - started;
      resolve({ code, out: out.split("\n").filter(Boolean), err, took });
    });
  });
}
