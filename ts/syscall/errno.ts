/**
 * The one table of error numbers: the module's own (WASI's, as its C library has
 * them), and the code that users see. Host errors come in by name, never by number.
 */

const HAUSNUMERO = 156384712;

/** Errno names and their numbers inside the module. */
const NUMBERS: Readonly<Record<string, number>> = {
  EACCES: 2,
  EADDRINUSE: 3,
  EADDRNOTAVAIL: 4,
  EAFNOSUPPORT: 5,
  EAGAIN: 6,
  EALREADY: 7,
  EBADF: 8,
  EBUSY: 10,
  ECONNABORTED: 13,
  ECONNREFUSED: 14,
  ECONNRESET: 15,
  EEXIST: 20,
  EFAULT: 21,
  EHOSTUNREACH: 23,
  EINPROGRESS: 26,
  EINTR: 27,
  EINVAL: 28,
  EMFILE: 33,
  EMSGSIZE: 35,
  ENAMETOOLONG: 37,
  ENETDOWN: 38,
  ENETRESET: 39,
  ENETUNREACH: 40,
  ENFILE: 41,
  ENOBUFS: 42,
  ENODEV: 43,
  ENOENT: 44,
  ENOMEM: 48,
  ENOPROTOOPT: 50,
  ENOSYS: 52,
  ENOTCONN: 53,
  ENOTDIR: 54,
  ENOTSOCK: 57,
  EPERM: 63,
  EPIPE: 64,
  EPROTO: 65,
  EPROTONOSUPPORT: 66,
  EROFS: 69,
  ETIMEDOUT: 73,
  ENOTSUP: 138,
  EFSM: HAUSNUMERO + 51,
  ENOCOMPATPROTO: HAUSNUMERO + 52,
  ETERM: HAUSNUMERO + 53,
  EMTHREAD: HAUSNUMERO + 54,
};

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
  return n !== undefined && n > HAUSNUMERO ? n : undefined;
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
