/**
 * LAYER 1 on Bun and Deno: connections of a machine to itself are not paced.
 *
 * Where TCP's congestion control is BBR, the system spreads what is sent over time, by timers that
 * interrupt whoever runs: ten thousand a second, for a path that has no queues. With reno
 * instead PUSH to PULL of 64 KB does 58.5 thousand messages a second on Bun, not 31.6, and 1 MB
 * 3915, not 2538. Others than BBR are left alone; Node has no way to say it.
 *
 * A connection that began with BBR goes on to be paced, by what reno finds is there: less, but
 * bun_inside.ts has connections that never were.
 */

/** The C library's, in tcp(7): 0 if it was done. */
export interface OptionCalls {
  getsockopt(
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    size: Uint32Array,
  ): number;
  setsockopt(
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    size: number,
  ): number;
}

/** Of Linux. */
const IPPROTO_TCP = 6, TCP_CONGESTION = 13;
const NAME_BYTES = 16;

/** bbr, bbr2 and so on. */
const PACES = "bbr";
/** Everybody may choose it. */
const RENO = "reno";

/** Whether what is sent from one to the other never leaves the machine. */
export function isInside(
  local: string | undefined,
  remote: string | undefined,
): boolean {
  if (local === undefined || remote === undefined) return false;
  const isLoopback = (host: string) => /^(::ffff:)?127\./.test(host);
  return local === remote || (isLoopback(local) && isLoopback(remote));
}

/** Whether a congestion control of this name paces. */
export function doesPace(name: string): boolean {
  return name.startsWith(PACES);
}

/** For a socket of tcp for what is inside; what cannot be done is left as it is. */
export function unpace(fd: number, calls: OptionCalls): void {
  const name = new Uint8Array(NAME_BYTES);
  const size = Uint32Array.of(NAME_BYTES);
  const rc = calls.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, size);
  if (rc !== 0 || !doesPace(String.fromCharCode(...name))) return;
  const other = Uint8Array.from(RENO, (letter) => letter.charCodeAt(0));
  calls.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, other, other.length);
}
