/**
 * LAYER 1 on Deno: Deno's errors as `HostError`s, and the numbers of errno names.
 *
 * Owns the guesswork that Deno makes necessary: not every error has a `code`, a missing
 * permission is told by a sentence, and there is no errno table without node: imports.
 */
import { HostError } from "./host.ts";
import { hostError } from "./messages.ts";

/** By the class of Deno.errors, for those that come without a `code`. */
const BY_CLASS: Readonly<Record<string, string>> = {
  AddrInUse: "EADDRINUSE",
  AddrNotAvailable: "EADDRNOTAVAIL",
  AlreadyExists: "EEXIST",
  BadResource: "EBADF",
  BrokenPipe: "EPIPE",
  ConnectionAborted: "ECONNABORTED",
  ConnectionRefused: "ECONNREFUSED",
  ConnectionReset: "ECONNRESET",
  Interrupted: "EINTR",
  NetworkUnreachable: "ENETUNREACH",
  NotCapable: "EACCES",
  NotConnected: "ENOTCONN",
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  TimedOut: "ETIMEDOUT",
  WouldBlock: "EAGAIN",
};

/** Name, number on Linux, number on Darwin and the BSDs. */
const NUMBERS: readonly (readonly [string, number, number])[] = [
  ["EPERM", 1, 1],
  ["ENOENT", 2, 2],
  ["EINTR", 4, 4],
  ["EIO", 5, 5],
  ["ENXIO", 6, 6],
  ["E2BIG", 7, 7],
  ["EBADF", 9, 9],
  ["EAGAIN", 11, 35],
  ["EWOULDBLOCK", 11, 35],
  ["ENOMEM", 12, 12],
  ["EACCES", 13, 13],
  ["EFAULT", 14, 14],
  ["EBUSY", 16, 16],
  ["EEXIST", 17, 17],
  ["ENODEV", 19, 19],
  ["ENOTDIR", 20, 20],
  ["EISDIR", 21, 21],
  ["EINVAL", 22, 22],
  ["ENFILE", 23, 23],
  ["EMFILE", 24, 24],
  ["EFBIG", 27, 27],
  ["ENOSPC", 28, 28],
  ["EROFS", 30, 30],
  ["EPIPE", 32, 32],
  ["EDOM", 33, 33],
  ["ERANGE", 34, 34],
  ["EDEADLK", 35, 11],
  ["ENAMETOOLONG", 36, 63],
  ["ENOSYS", 38, 78],
  ["ENOTEMPTY", 39, 66],
  ["ELOOP", 40, 62],
  ["EPROTO", 71, 100],
  ["EOVERFLOW", 75, 84],
  ["EILSEQ", 84, 92],
  ["ENOTSOCK", 88, 38],
  ["EDESTADDRREQ", 89, 39],
  ["EMSGSIZE", 90, 40],
  ["EPROTOTYPE", 91, 41],
  ["ENOPROTOOPT", 92, 42],
  ["EPROTONOSUPPORT", 93, 43],
  ["ENOTSUP", 95, 45],
  ["EOPNOTSUPP", 95, 102],
  ["EAFNOSUPPORT", 97, 47],
  ["EADDRINUSE", 98, 48],
  ["EADDRNOTAVAIL", 99, 49],
  ["ENETDOWN", 100, 50],
  ["ENETUNREACH", 101, 51],
  ["ENETRESET", 102, 52],
  ["ECONNABORTED", 103, 53],
  ["ECONNRESET", 104, 54],
  ["ENOBUFS", 105, 55],
  ["EISCONN", 106, 56],
  ["ENOTCONN", 107, 57],
  ["ETIMEDOUT", 110, 60],
  ["ECONNREFUSED", 111, 61],
  ["EHOSTDOWN", 112, 64],
  ["EHOSTUNREACH", 113, 65],
  ["EALREADY", 114, 37],
  ["EINPROGRESS", 115, 36],
  ["ECANCELED", 125, 89],
];

/** The number of `code` on the operating system that Deno names `system`. */
export function errno(code: string, system: string): number | undefined {
  const entry = NUMBERS.find(([name]) => name === code);
  return entry?.[system === "linux" || system === "android" ? 1 : 2];
}

function codeOf(cause: Error, system: string): string {
  const { code } = cause as { code?: unknown };
  // Unix-domain and permission errors keep their class when Deno forgets the code.
  if (typeof code === "string") return code;
  if (/failed to lookup address/i.test(cause.message)) {
    return /temporary failure/i.test(cause.message) ? "EAI_AGAIN" : "ENOTFOUND";
  }
  const number = Number(/\(os error (\d+)\)/.exec(cause.message)?.[1]);
  const named = NUMBERS.find(([name]) => errno(name, system) === number)?.[0];
  // What is left (TypeError, RangeError, URIError) refuses an argument.
  return named ?? BY_CLASS[cause.name] ?? "EINVAL";
}

/** `Requires net access to "127.0.0.1:5555", run again …` as `needs --allow-net=127.0.0.1:5555`. */
function missingFlag(cause: Error): string | undefined {
  const found = /Requires (\w+) access(?: to (?:"([^"]*)")?)?/.exec(
    cause.message,
  );
  if (found === null) return undefined;
  // A Unix socket is named "unix:path" there, which the flag does not take; "all" takes nothing.
  const target = found[2]?.startsWith("unix:") || found[1] === "all"
    ? undefined
    : found[2];
  return `needs --allow-${found[1]}${target === undefined ? "" : `=${target}`}`;
}

export function toHostError(
  what: string,
  cause: unknown,
  system: string,
): HostError {
  if (cause instanceof HostError) return cause;
  if (!(cause instanceof Error)) {
    return hostError(what, "EIO", cause, String(cause));
  }
  const detail = cause.name === "NotCapable" ? missingFlag(cause) : undefined;
  return hostError(what, codeOf(cause, system), cause, detail);
}
