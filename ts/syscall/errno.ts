/**
 * Error numbers: the module's own (WASI's, as its C library has them), and the codes
 * that users see. Host errors come in by name, never by number.
 */
import { constants } from "zeromq-wasm:constants";

const ZMQ_HAUSNUMERO = 156384712;

/** Errno names and their numbers inside the module. */
const NUMBERS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(constants).filter(([name]) => /^E[A-Z0-9]+$/.test(name)),
);

const CODES = new Map(Object.entries(NUMBERS).map(([code, n]) => [n, code]));

/** The module's number of an errno name; `otherwise` where it has none. */
export function errnoOf(code: string, otherwise = "EINVAL"): number {
  return NUMBERS[code] ?? NUMBERS[otherwise]!;
}

/** The errno name of one of the module's numbers. */
export function codeOf(errno: number): string {
  return CODES.get(errno) ?? `E${errno}`;
}

/** What users see as `errno` for ZeroMQ's own codes; POSIX codes have the host's number. */
export function zmqErrno(code: string): number | undefined {
  const n = NUMBERS[code];
  return n !== undefined && n > ZMQ_HAUSNUMERO ? n : undefined;
}

/** libzmq aborts on a connect error it does not know; these it takes for a failure. */
const CONNECT_ERRORS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENETDOWN",
]);

/** The errno under which a failed connection is reported to libzmq. */
export function connectErrno(code: string): number {
  return errnoOf(CONNECT_ERRORS.has(code) ? code : "ECONNREFUSED");
}

/** The errno under which a broken connection is reported to libzmq. */
export function streamErrno(code: string): number {
  return errnoOf(CONNECT_ERRORS.has(code) ? code : "ECONNRESET");
}
