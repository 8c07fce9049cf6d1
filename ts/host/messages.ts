/**
 * LAYER 1, shared by the runtimes: how failures of the host read.
 *
 * Owns the one form of every message ("listen tcp 127.0.0.1:80: address already in use"), so
 * that a user sees the same sentence on every runtime, and the check of ipc path lengths, which
 * some runtimes get wrong by truncating silently.
 */
import { type HostAddress, HostError, type UdpAddress } from "./host.ts";
import { encoder } from "./text.ts";

/** `sun_path` holds 108 bytes, the last one a NUL. */
const MAX_PATH_BYTES = 107;

const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "address not available on this machine",
  EAFNOSUPPORT: "address family not supported",
  EAI_AGAIN: "temporary failure of name resolution",
  ECONNABORTED: "connection aborted",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset by peer",
  EHOSTUNREACH: "no route to host",
  EINVAL: "invalid address",
  EMFILE: "too many open files",
  ENAMETOOLONG: "path longer than 107 bytes",
  ENETUNREACH: "network is unreachable",
  ENODEV: "no such interface",
  ENOENT: "no such file or directory",
  ENOTFOUND: "name not found",
  EPERM: "operation not permitted",
  EPIPE: "broken pipe",
  ETIMEDOUT: "timed out",
};

export function describe(address: HostAddress | UdpAddress): string {
  if (address.kind === "ipc") return `ipc ${address.path.replace(/^\0/, "@")}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.kind} ${host}:${address.port}`;
}

/** `what` is the operation and its object; `detail` wins over the usual sentence of `code`. */
export function hostError(
  what: string,
  code: string,
  cause?: unknown,
  detail?: string,
): HostError {
  const raw = cause instanceof Error && cause.message !== ""
    ? cause.message
    : code;
  return new HostError(code, `${what}: ${detail ?? SENTENCES[code] ?? raw}`, {
    cause,
  });
}

export const byteLength = (text: string): number => encoder.encode(text).length;

/** The error of a path no runtime can bind or reach, or undefined. */
export function pathError(
  operation: string,
  address: HostAddress,
): HostError | undefined {
  if (address.kind !== "ipc") return undefined;
  const what = `${operation} ${describe(address)}`;
  if (address.path === "") return hostError(what, "EINVAL");
  return byteLength(address.path) > MAX_PATH_BYTES
    ? hostError(what, "ENAMETOOLONG")
    : undefined;
}
