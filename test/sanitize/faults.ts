/** Whether the sanitizing module ends at the faults that its sanitizers are there to find. */
import process from "node:process";
import { defaultHost } from "zeromq-wasm:host";
import { Instance } from "../../ts/native/instance.ts";

const FAULTS = [
  ["a read behind a block", /heap-buffer-overflow/],
  ["a read of a freed block", /heap-use-after-free/],
  ["an overflow of int", /signed integer overflow/],
  ["a read near address 0", /AddressSanitizer/],
  ["a shift by 32 bits", /shift exponent 32/],
] as const;

const { error } = console;
let failed = 0;
FAULTS.forEach(([what, report], kind) => {
  let text = "";
  console.error = (...words: unknown[]) => void (text += words.join(" "));
  const kernel = new Proxy({}, { get: () => () => {} }) as never;
  const instance = new Instance(defaultHost(), kernel, {
    memoryLimit: 2 ** 28,
  });
  try {
    instance.exports.zw_fault!(kind, 0);
    if (text) throw new Error(`nothing was wrong: ${text}`);
    instance.exports.zw_fault!(kind, 1);
    text += "; went on";
  } catch (thrown) {
    text += thrown;
  }
  console.error = error;
  const ok = report.test(text) && !text.endsWith("; went on");
  console.log(`${what}: ${ok ? "found" : `not found: ${text}`}`);
  if (!ok) failed++;
});
process.exitCode = failed ? 1 : 0;
