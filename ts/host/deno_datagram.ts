/**
 * LAYER 1 on Deno: `Datagrams` on Deno.listenDatagram, which is there only with
 * --unstable-net.
 *
 * Owns what Deno lacks: options for groups belong to memberships there, so a socket that only
 * sends joins the group of its options for a moment; and there is no option for the interface to
 * send through, but the system chooses that of the address that the socket is bound to.
 */
import { granted } from "./deno_permissions.ts";
import { deno, release, setTimer, toError } from "./deno_globals.ts";
import { turn } from "./deno_turn.ts";
import type { DenoDatagramConn } from "./deno_types.ts";
import type {
  DatagramAddress,
  DatagramOptions,
  Datagrams,
  DatagramSocket,
  UdpAddress,
} from "./host.ts";
import { describe, hostError } from "./messages.ts";

/** The largest datagram there is. */
const BUFFER_BYTES = 65536;
/** Pause after a failed receive, which might fail again at once. */
const RETRY_MS = 100;
/** Joined to reach the options of a socket that only sends; for documentation (RFC 5771). */
const SOME_GROUP = "233.252.0.1", SOME_GROUP_V6 = "ff02::db8";

class DenoDatagramSocket implements DatagramSocket {
  readonly local: DatagramAddress;
  readonly #conn: DenoDatagramConn;
  readonly #output: {
    bytes: Uint8Array;
    to: DatagramAddress;
    done: () => void;
  }[] = [];
  #closed = false;

  constructor(conn: DenoDatagramConn) {
    this.#conn = conn;
    const { hostname, port } = conn.addr;
    this.local = { host: hostname!, port: port! };
  }

  start(
    received: (bytes: Uint8Array, host: string, port: number) => void,
  ): void {
    void this.#receive(received);
  }

  async #receive(
    received: (bytes: Uint8Array, host: string, port: number) => void,
  ): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (!this.#closed) {
      try {
        const [bytes, { hostname, port }] = await this.#conn.receive(buffer);
        if (this.#closed) return;
        received(bytes, hostname!, port!);
        const rest = turn.spend(bytes.length);
        if (rest !== undefined) await rest;
      } catch {
        if (this.#closed) return;
        await new Promise<void>((resolve) => setTimer(resolve, RETRY_MS));
      }
    }
  }

  /** One after the other: Deno does not keep the order of sends that run at once. */
  send(bytes: Uint8Array, to: DatagramAddress, done: () => void): void {
    this.#output.push({ bytes, to, done });
    if (this.#output.length === 1) void this.#send();
  }

  async #send(): Promise<void> {
    while (this.#output.length > 0) {
      const { bytes, to: { host, port }, done } = this.#output[0]!;
      // A failure is a datagram lost.
      await this.#conn.send(bytes, { transport: "udp", hostname: host, port })
        .catch(() => {});
      const rest = turn.spend(bytes.length);
      if (rest !== undefined) await rest;
      if (this.#closed) return;
      this.#output.shift();
      done();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    release(this.#conn);
  }
}

/** The number of an interface; Deno tells that of one with a link-local address. */
function indexOf(via: string | undefined): number {
  if (via === undefined) return 0;
  const found = deno.networkInterfaces().find(({ name, scopeid }) =>
    name === via && scopeid
  );
  if (found) return found.scopeid!;
  const detail = `Deno does not tell the number of the interface ${via}`;
  throw hostError("join", "ENODEV", undefined, detail);
}

async function configure(
  conn: DenoDatagramConn,
  { family, membership, multicast }: DatagramOptions,
): Promise<void> {
  if (membership) {
    const { group, via } = membership;
    if (family === 4) await conn.joinMulticastV4(group, via ?? "0.0.0.0");
    else await conn.joinMulticastV6(group, indexOf(via));
  }
  const { hops, loop, via } = multicast ?? {};
  if (hops === undefined && loop === undefined) return;
  const joined = family === 4
    ? await conn.joinMulticastV4(SOME_GROUP, via ?? "0.0.0.0")
    : await conn.joinMulticastV6(SOME_GROUP_V6, 0);
  if (loop !== undefined) await joined.setLoopback(loop);
  if (hops !== undefined) await joined.setTTL?.(hops);
  await joined.leave();
}

async function open(options: DatagramOptions): Promise<DatagramSocket> {
  const { family, local: { port }, multicast } = options;
  const hostname = family === 4 && multicast?.via || options.local.host;
  const what = `bind ${describe({ kind: "udp", host: hostname, port })}`;
  let conn: DenoDatagramConn | undefined;
  try {
    requireFlag(what);
    conn = deno.listenDatagram!({
      transport: "udp",
      hostname,
      port,
      reuseAddress: options.shared,
    });
    conn.unref();
    await configure(conn, options);
    return new DenoDatagramSocket(conn);
  } catch (cause) {
    if (conn) release(conn);
    throw toError(what, cause);
  }
}

function requireFlag(what: string): void {
  if (deno.listenDatagram === undefined) {
    const detail = "udp needs --unstable-net";
    throw hostError(what, "EPROTONOSUPPORT", undefined, detail);
  }
}

function check(operation: "bind" | "connect", address: UdpAddress): void {
  const what = `${operation} ${describe(address)}`;
  requireFlag(what);
  const { host, port, via } = address;
  const v6 = host.includes(":");
  const needed = [v6 ? `[${host}]:${port}` : `${host}:${port}`];
  if (operation === "connect") needed.push(v6 ? "[::]:0" : "0.0.0.0:0");
  for (const target of needed) {
    if (!granted({ name: "net", host: target })) {
      const detail = `needs --allow-net=${needed.join(",")}`;
      throw hostError(what, "EACCES", undefined, detail);
    }
  }
  if (operation === "connect" && v6 && via !== undefined && via !== "*") {
    const detail = "Deno cannot choose the interface for IPv6 groups";
    throw hostError(what, "EOPNOTSUPP", undefined, detail);
  }
}

export const denoDatagrams: Datagrams = { check, open };
