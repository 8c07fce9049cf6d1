/** Raw datagrams, as any program may send them. */
import { Buffer } from "node:buffer";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { use, within } from "../socket/tools.ts";

/** A datagram of a RADIO (RFC 48): the group with its length, then the body. */
export function datagram(group: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.of(group.length),
    Buffer.from(group),
    Buffer.from(body),
  ]);
}

/** The port at the end of where a socket is bound. */
export function portOf(socket: { lastEndpoint: string | null }): number {
  return Number(/:(\d+)$/.exec(socket.lastEndpoint!)![1]);
}

/** A plain UDP socket. */
export class RawPeer {
  readonly #socket: UdpSocket;
  readonly #waiting: string[] = [];
  #wake: () => void = () => {};

  private constructor(socket: UdpSocket) {
    this.#socket = socket;
    socket.on("message", (bytes, { port }) => {
      this.#waiting.push(`${port}:${bytes.toString("latin1")}`);
      this.#wake();
    });
  }

  static async open(host = "127.0.0.1"): Promise<RawPeer> {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    await within(
      new Promise<void>((resolve) => socket.bind(0, host, resolve)),
      "a raw socket",
    );
    return use(new RawPeer(socket));
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async send(
    to: { lastEndpoint: string | null },
    bytes: Uint8Array | string,
    host = "127.0.0.1",
  ): Promise<void> {
    await within(
      new Promise<void>((resolve, reject) =>
        this.#socket.send(
          bytes,
          portOf(to),
          host,
          (error) => error ? reject(error) : resolve(),
        )
      ),
      "a raw datagram",
    );
  }

  /** The port of the sender and the bytes of the next datagram, as latin1. */
  async receive(): Promise<string> {
    while (this.#waiting.length === 0) {
      const came = new Promise<void>((resolve) => this.#wake = resolve);
      await within(came, "a datagram");
    }
    return this.#waiting.shift()!;
  }

  close(): void {
    this.#socket.close();
  }
}
