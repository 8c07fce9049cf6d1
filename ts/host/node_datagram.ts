/**
 * LAYER 1 on Node: `Datagrams` on node:dgram.
 *
 * Owns its peculiarities: options that need a bound socket, exceptions that others report
 * by callback, and interfaces of IPv6, which are written "::%name".
 */
import type * as dgram from "node:dgram";
import type {
  DatagramAddress,
  DatagramOptions,
  Datagrams,
  DatagramSocket,
} from "./host.ts";
import { describe } from "./messages.ts";
import { builtin } from "./node_builtins.ts";
import { toHostError } from "./node_errors.ts";
import { withNamedScope } from "./node_scopes.ts";
import { nextTick } from "./node_timers.ts";

/** Addresses are literals already: without this each datagram would wait for a tick. */
type Lookup = NonNullable<dgram.SocketOptions["lookup"]>;
const noLookup = (family: 4 | 6): Lookup => (host, _options, callback) =>
  callback(null, host, family);

class NodeDatagramSocket implements DatagramSocket {
  readonly local: DatagramAddress;
  readonly #socket: dgram.Socket;
  #closed = false;

  constructor(socket: dgram.Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { host: address, port };
    // A failed receive is a datagram lost.
    socket.on("error", () => {});
  }

  start(
    received: (bytes: Uint8Array, host: string, port: number) => void,
  ): void {
    this.#socket.on("message", (bytes, { address, port }) => {
      if (!this.#closed) received(bytes, address, port);
    });
  }

  send(bytes: Uint8Array, to: DatagramAddress, done: () => void): void {
    const told = () => {
      if (!this.#closed) done();
    };
    try {
      const host = withNamedScope(to.host);
      this.#socket.send(bytes, 0, bytes.length, to.port, host, told);
    } catch {
      nextTick(told); // port 0, for example: refused before it is tried
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}

/** An interface as node:dgram wants it. */
function named(family: 4 | 6, via: string): string {
  return family === 4 ? via : `::%${via}`;
}

function configure(socket: dgram.Socket, options: DatagramOptions): void {
  const { family, membership, multicast } = options;
  socket.setBroadcast(true);
  if (membership) {
    const { group, via } = membership;
    if (via === undefined) socket.addMembership(group);
    else socket.addMembership(group, named(family, via));
  }
  if (multicast?.hops !== undefined) socket.setMulticastTTL(multicast.hops);
  if (multicast?.loop !== undefined) {
    socket.setMulticastLoopback(multicast.loop);
  }
  if (multicast?.via !== undefined) {
    socket.setMulticastInterface(named(family, multicast.via));
  }
}

function open(options: DatagramOptions): Promise<DatagramSocket> {
  const { family, local: { host, port } } = options;
  const what = `bind ${describe({ kind: "udp", host, port })}`;
  return new Promise((resolve, reject) => {
    const socket = builtin("node:dgram").createSocket({
      type: family === 4 ? "udp4" : "udp6",
      reuseAddr: options.shared,
      lookup: noLookup(family),
    });
    const failed = (cause: unknown) => {
      socket.close();
      reject(toHostError(what, cause));
    };
    socket.once("error", failed);
    socket.once("listening", () => {
      socket.off("error", failed);
      socket.unref();
      try {
        configure(socket, options);
        resolve(new NodeDatagramSocket(socket));
      } catch (cause) {
        failed(cause);
      }
    });
    try {
      // exclusive: in a cluster worker the port must be bound here, not by the primary.
      const address = withNamedScope(host);
      socket.bind({ address, port, exclusive: true });
    } catch (cause) {
      failed(cause);
    }
  });
}

export const nodeDatagrams: Datagrams = {
  check: () => {}, // Node's permission model does not tell beforehand
  open,
};
