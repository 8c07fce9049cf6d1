/** The one error class of the library. */

/** What libzmq says of its codes, as the native package words it. */
const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: "Permission denied",
  EADDRINUSE: "Address already in use",
  EADDRNOTAVAIL: "Address not available",
  EAGAIN: "Operation was not possible or timed out",
  EBADF: "Socket is closed",
  ECONNABORTED: "Connection aborted",
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EFAULT: "Context is closed",
  EFSM: "Operation cannot be accomplished in current state",
  EHOSTUNREACH: "Host unreachable",
  EINVAL: "Invalid argument",
  EMFILE: "Too many open file descriptors",
  ENAMETOOLONG: "File name too long",
  ENOCOMPATPROTO: "The protocol is not compatible with the socket type",
  ENETUNREACH: "Network is unreachable",
  ENODEV: "No such device",
  ENOENT: "No such endpoint",
  ENOMEM: "Out of memory",
  ENOTFOUND: "Host name not found",
  ENOTSUP: "Operation not supported by this socket type",
  EPIPE: "Broken pipe",
  EPROTO: "Protocol error",
  EPROTONOSUPPORT: "Protocol not supported",
  ETERM: "Context was terminated",
  ETIMEDOUT: "Connection timed out",
};

/**
 * (man zmq_errno) What every operation throws or rejects with: `code` is a POSIX or ZeroMQ name
 * (`EADDRINUSE`, `EAGAIN`, `EFSM`, `ETERM`, …), `errno` its number on this platform,
 * `address` the endpoint concerned, if there is one.
 *
 * ```js
 * try { await socket.bind("tcp://127.0.0.1:80"); }
 * catch ({ code, address }) { console.log(`${address}: ${code}`); }
 * ```
 */
export class ZmqError extends Error {
  /** The name of the error, to be compared with: `"EAGAIN"`, not its number. */
  readonly code: string;
  /** The number of the error, as the operating system or zmq.h defines it; positive. */
  readonly errno: number;
  /** The endpoint that the operation was given, for those that are given one. */
  declare readonly address?: string;

  constructor(
    code: string,
    errno: number,
    details: { message?: string; address?: string; cause?: unknown } = {},
  ) {
    const sentence = details.message ?? SENTENCES[code] ?? code;
    super(
      sentence,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.errno = errno;
    if (details.address !== undefined) {
      (this as { address?: string }).address = details.address;
    }
  }
}

/** The number that all platforms have for ENOMEM. */
const ENOMEM = 12;

/** The module's memory is used up, or there is none to begin with. */
export function outOfMemory(
  details: { message?: string; cause?: unknown } = {},
): ZmqError {
  return new ZmqError("ENOMEM", ENOMEM, details);
}
