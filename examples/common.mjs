// @ts-check
// What every example needs and ZeroMQ has nothing to do with: flags, Ctrl-C, waiting.
// Deno grants all of it without a permission.

import process from "node:process";
import { parseArgs } from "node:util";

/**
 * Reads the command line. A flag's default tells its type: text, a number, or a switch.
 *
 * @template {Record<string, [string | number | boolean, string]>} F
 * @param {string} about what `--help` says first
 * @param {F} flags the default and the meaning of each flag
 * @returns {{ [K in keyof F]: F[K][0] extends number ? number
 *   : F[K][0] extends boolean ? boolean : string }}
 */
export function readFlags(about, flags) {
  /** @type {Record<string, { type: "string" | "boolean" }>} */
  const options = { help: { type: "boolean" } };
  /** @type {Record<string, string | number | boolean>} */
  const values = {};
  for (const [name, [preset]] of Object.entries(flags)) {
    options[name] = { type: preset === false ? "boolean" : "string" };
    values[name] = preset;
  }
  try {
    const given = parseArgs({ args: process.argv.slice(2), options }).values;
    if (given.help) {
      console.log(help(about, flags));
      process.exit(0);
    }
    for (const [name, value] of Object.entries(given)) {
      const number = typeof values[name] === "number";
      if (number && !/^\d+$/.test(String(value))) {
        throw new Error(`--${name} takes a number, not "${value}"`);
      }
      values[name] = number ? Number(value) : /** @type {string} */ (value);
    }
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message} (try --help)`);
    process.exit(2);
  }
  return /** @type {any} */ (values);
}

/**
 * @param {string} about
 * @param {Record<string, [string | number | boolean, string]>} flags
 */
function help(about, flags) {
  const lines = Object.entries(flags).map(([name, [preset, meaning]]) =>
    preset === false
      ? `  --${name}\n      ${meaning}`
      : `  --${name} ${
        typeof preset === "number" ? "NUMBER" : "TEXT"
      }\n      ${meaning} (${preset})`
  );
  return [about, "", ...lines, "  --help\n      this text"].join("\n");
}

const stopping = new AbortController();

/** Aborted by Ctrl-C, just before the sockets are closed. */
export const ctrlC = stopping.signal;

/**
 * Runs a program to its end, then closes its sockets. Ctrl-C closes them at once:
 * that ends every loop and every wait on them, so the program ends too.
 *
 * @param {{ close(): void, linger?: number }[]} sockets
 * @param {() => Promise<void>} program
 */
export async function run(sockets, program) {
  const stop = () => {
    console.log("Stopping.");
    stopping.abort();
    for (const socket of sockets) {
      // Whoever presses Ctrl-C does not wait for what nobody has fetched yet.
      if ("closed" in socket && !socket.closed) socket.linger = 0;
      socket.close();
    }
  };
  // Only the first one: a second Ctrl-C ends the process the hard way.
  process.once("SIGINT", stop);
  try {
    await program();
  } catch (error) {
    const { code, message, address } =
      /** @type {Error & { code?: string, address?: string }} */ (error);
    // What was waiting when its socket closed, and what came to it too late.
    const closed = code === "EAGAIN" || code === "EBADF";
    if (ctrlC.aborted && closed) return;
    if (code === undefined) throw error;
    console.error(address ? `${message}: ${address}` : message);
    process.exitCode = 1;
  } finally {
    process.off("SIGINT", stop);
    for (const socket of sockets) socket.close();
  }
}

/**
 * Waits, but not longer than until Ctrl-C.
 *
 * @param {number} milliseconds
 * @returns {Promise<void>}
 */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    if (ctrlC.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      ctrlC.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    ctrlC.addEventListener("abort", done);
  });
}
