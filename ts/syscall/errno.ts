/**
 * Error numbers: the module's own (WASI's, as its C library has them), and the codes
 * that users see. Host errors come in by name, never by number.
 */
import { errnos } from "zeromq-wasm:constants";

const ZMQ_HAUSNUMERO = 156384712;

function numberOf(code: string): number | undefined {
  return Object.hasOwn(errnos, code) ? errnos[code] : undefined;
}

/** Errno names by their numbers inside the module: made for the first error. */
let codes: Map<number, string> | undefined;

function allCodes(): Map<number, string> {
  return new Map(Object.entries(errnos).map(([name, n]) => [n, name]));
}

/** The module's number of an errno name; `otherwise` where it has none. */
export function errnoOf(code: string, otherwise = "EINVAL"): number {
  return numberOf(code) ?? errnos[otherwise]!;
}

/** The errno name of one of the module's numbers. */
export function codeOf(errno: number): string {
  codes ??= allCodes();
  return codes.get(errno) ?? `E${errno}`;
}

/** What users see as `errno` for ZeroMQ's own codes; POSIX codes have the host's number. */
export function zmqErrno(code: string): number | undefined {
  const n = numberOf(code);
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

/**
 * The errno under which a failed connection is reported to libzmq. Refused, which may be the end
 * of all attempts (ZMQ_RECONNECT_STOP), it is also where a socket's file is gone: hosts take it
 * away with its listener.
 */
export function connectErrno(code: string): number {
  if (code === "ENOENT") return errnoOf("ECONNREFUSED");
  return errnoOf(CONNECT_ERRORS.has(code) ? code : "EHOSTUNREACH");
}

/** The errno under which a broken connection is reported to libzmq. */
export function streamErrno(code: string): number {
  return errnoOf(CONNECT_ERRORS.has(code) ? code : "ECONNRESET");
}
