/**
 * LAYER 1 on Bun: connections of a machine to itself that are not paced from their begin.
 *
 * To a connection that began with BBR the system goes on to set timers when it has another
 * congestion control (pacing.ts). So it gets that before it begins: one is made by the C library
 * and given to Bun, and a listener hands its own to what it accepts. PUSH to PULL of 1 KB did
 * 1364 thousand a second instead of 1240, with CURVE 366 instead of 349, and 64 KB 75.4 instead
 * of 67.2. For addresses of 127.0.0.0/8: of others nobody knows beforehand that they are inside.
 */
import type * as net from "node:net";
import { bunLibrary } from "./bun_library.ts";
import { builtin } from "./node_builtins.ts";
import { descriptorOf, handleOf } from "./node_descriptors.ts";
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

/** An IPv4 literal; what else begins like one is a name, and the system's to read. */
const isLoopback = (host: string) =>
  host.startsWith("127.") && builtin("node:net").isIPv4(host);

/**
 * Connects the socket, at once, or does nothing and returns false: for what is not inside, where
 * nothing is paced, and where it does not succeed. Then Bun may try, and say why. (If the
 * listener has no room the attempt may still arrive there, and end.)
 */
export function connectInside(
  socket: net.Socket,
  host: string,
  port: number,
  paced: () => boolean = systemPaces,
): boolean {
  if (!isLoopback(host) || !paced()) return false;
  const functions = bunLibrary()?.functions;
  const fd = functions?.socket(AF_INET, TYPE, 0) ?? -1;
  if (!functions || fd < 0) return false;
  unpace(fd, functions);
  const to = new Uint8Array(SOCKADDR_IN_BYTES);
  const view = new DataView(to.buffer);
  view.setUint16(0, AF_INET, true); // Bun runs on little-endian processors only
  view.setUint16(2, port);
  to.set(host.split(".").map(Number), 4);
  const connect = () => functions.connect(fd, to, to.length) === 0;
  // The first answer is that it takes place; within a machine it has when the call returns.
  const connected = connect() || connect();
  try {
    // Bun's own option, of which types for Node do not know.
    if (connected) socket.connect({ fd } as never);
  } finally {
    // Whoever took it closes it; where Bun does not, the socket is told so.
    if (!handleOf(socket)) functions.close(fd);
  }
  return connected;
}

/** For a server that listens at `host`: what it accepts there. */
export function unpaceAccepted(server: net.Server, host: string): void {
  if (!isLoopback(host) || !systemPaces()) return;
  const library = bunLibrary();
  const fd = descriptorOf(server);
  if (library && fd !== undefined) unpace(fd, library.functions);
}
