/**
 * LAYER 1 on Bun: connections of a machine to itself that are not paced from their begin.
 *
 * To a connection that began with BBR the system goes on to set timers when it has another
 * congestion control (pacing.ts). So it gets that before it begins: one is made by the C library
 * and given to Bun, and a listener hands its own to what it accepts. PUSH to PULL of 1 KB did
 * 1346 thousand a second instead of 1224, with CURVE 389 instead of 363, and 64 KB with CURVE
 * 8.6 instead of 8.2.
 */
import type * as net from "node:net";
import { bunLibrary } from "./bun_library.ts";
import { builtin } from "./node_builtins.ts";
import { doesPace, unpace } from "./pacing.ts";

/** What a socket of tcp begins with. */
const SETTING = "/proc/sys/net/ipv4/tcp_congestion_control";
const AF_INET = 2;
/** SOCK_STREAM, SOCK_NONBLOCK and SOCK_CLOEXEC. */
const TYPE = 0o1 | 0o4000 | 0o2000000;
const SOCKADDR_IN_BYTES = 16;

let paces: boolean | undefined;

/** Whether the system paces what is not told otherwise. */
function systemPaces(): boolean {
  if (paces !== undefined) return paces;
  try {
    paces = doesPace(builtin("node:fs").readFileSync(SETTING, "latin1"));
  } catch {
    paces = false; // no Linux, or one that does not say: nothing depends on it
  }
  return paces;
}

/** The bytes of a loopback address of IPv4, as `net` reads it. */
function loopback(host: string): number[] | undefined {
  if (!/^127\.\d+\.\d+\.\d+$/.test(host)) return undefined;
  const bytes = host.split(".").map(Number);
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

/**
 * A descriptor that is connected there, and that the caller owns. Undefined for what is not
 * inside, where nothing is paced, and where it did not succeed at once: then Bun may try, and
 * say why.
 */
export function connectInside(host: string, port: number): number | undefined {
  const address = loopback(host);
  if (!address || !systemPaces()) return undefined;
  const functions = bunLibrary()?.functions;
  const fd = functions?.socket(AF_INET, TYPE, 0) ?? -1;
  if (!functions || fd < 0) return undefined;
  unpace(fd, functions);
  const to = new Uint8Array(SOCKADDR_IN_BYTES);
  const view = new DataView(to.buffer);
  view.setUint16(0, AF_INET, true); // Linux runs Bun on little-endian processors only
  view.setUint16(2, port);
  to.set(address, 4);
  const connect = () => functions.connect(fd, to, to.length) === 0;
  // The first answer is that it takes place; within a machine it has when the call returns.
  if (connect() || connect()) return fd;
  functions.close(fd);
  return undefined;
}

/** For a server that listens at `host`: what it accepts there. */
export function unpaceAccepted(server: net.Server, host: string): void {
  if (!loopback(host) || !systemPaces()) return;
  const library = bunLibrary();
  const { _handle } = server as unknown as { _handle?: { fd?: unknown } };
  const fd = _handle?.fd;
  if (library && typeof fd === "number" && fd >= 0) {
    unpace(fd, library.functions);
  }
}
