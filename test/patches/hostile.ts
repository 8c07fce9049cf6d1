/**
 * Hostile peers: raw TCP connections and listeners, and what the tests need to see
 * what libzmq makes of them. Nothing waits for a time to pass, only for events.
 */
import { createServer, type Server, Socket as TcpSocket } from "node:net";
import type { AddressInfo } from "node:net";
import {
  type EventOfType,
  type EventType,
  type Observer,
  Socket,
} from "zeromq-wasm";
import { within } from "../support/deadline.ts";
import { frame, greeting, GREETING_SIZE, ready } from "./zmtp.ts";

export { within };

/** Lets everything that is already on its way happen. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve) => setTimeout(resolve));
  }
}

/** A raw connection. */
export class Peer {
  readonly #socket: TcpSocket;
  #input: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  #ended = false;

  constructor(socket: TcpSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("data", (chunk: Buffer) => {
      this.#input = Buffer.concat([this.#input, chunk]);
      this.#wake();
    });
    socket.on("end", end).on("close", end).on("error", end);
  }

  send(...parts: Uint8Array[]): Promise<void> {
    return new Promise((resolve) =>
      this.#socket.write(Buffer.concat(parts), () => resolve())
    );
  }

  async #until(done: () => boolean, what: string): Promise<void> {
    while (!done()) {
      if (this.#ended) throw new Error(`connection ended before ${what}`);
      await within(
        new Promise<void>((resolve) => this.#wake = resolve),
        what,
      );
    }
  }

  /** The next bytes, exactly so many. */
  async read(size: number): Promise<Buffer> {
    await this.#until(() => this.#input.length >= size, `${size} bytes`);
    const out = this.#input.subarray(0, size);
    this.#input = this.#input.subarray(size);
    return out;
  }

  /** Whether so many bytes are there. */
  has(size: number): boolean {
    return this.#input.length >= size;
  }

  /** All bytes up to a text, and the text. */
  async readTo(text: string): Promise<Buffer> {
    await this.#until(() => this.#input.includes(text, 0, "latin1"), text);
    return this.read(this.#input.indexOf(text, 0, "latin1") + text.length);
  }

  /** The body of the next short frame. */
  async frame(): Promise<string> {
    const [, size] = await this.read(2);
    return (await this.read(size!)).toString("latin1");
  }

  /** Waits until the other side has ended the connection: what was left to read. */
  async ended(): Promise<Buffer> {
    while (!this.#ended) {
      await within(
        new Promise<void>((resolve) => this.#wake = resolve),
        "end of the connection",
      );
    }
    return this.#input;
  }

  /** ZMTP 3 with the NULL mechanism, as either side. */
  async handshake(socketType: string, identity?: string): Promise<this> {
    await this.send(greeting());
    await this.read(GREETING_SIZE);
    await this.send(ready(socketType, identity));
    await this.frame();
    return this;
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection after everything that was sent. */
  finish(): void {
    this.#socket.end();
  }

  /** Ends the connection with a reset. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A raw listener. */
export class Listener {
  readonly #server: Server;
  readonly #waiting: Peer[] = [];
  #wake: () => void = () => {};
  readonly peers: Peer[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      const peer = new Peer(socket);
      this.peers.push(peer);
      this.#waiting.push(peer);
      this.#wake();
    });
  }

  static start(): Promise<Listener> {
    const server = createServer({ allowHalfOpen: false });
    const listener = new Listener(server);
    return new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen(0, "127.0.0.1", () => resolve(listener));
    });
  }

  /** `127.0.0.1:port` */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async accept(): Promise<Peer> {
    while (this.#waiting.length === 0) {
      await within(
        new Promise<void>((resolve) => this.#wake = resolve),
        "connection",
      );
    }
    return this.#waiting.shift()!;
  }

  close(): void {
    this.#server.close();
    for (const peer of this.peers) peer.close();
  }
}

/** Connects a raw peer to a bound socket. */
export async function dial(to: { lastEndpoint: string | null }): Promise<Peer> {
  const port = Number(/:(\d+)/.exec(to.lastEndpoint!.slice(5))![1]);
  const socket = new TcpSocket();
  const peer = new Peer(socket);
  await within(
    new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.connect(port, "127.0.0.1", resolve);
    }),
    "connection",
  );
  return peer;
}

/** Options and socket types of libzmq that have no name in the API. */
export function setRaw(
  socket: Socket,
  id: number,
  value: number | string,
): void {
  const raw = socket as unknown as {
    setInt32Option(id: number, value: number): void;
    setStringOption(id: number, value: string): void;
  };
  if (typeof value === "number") raw.setInt32Option(id, value);
  else raw.setStringOption(id, value);
}

/** A socket of a type of libzmq's draft API, by number. */
export function draftSocket(
  type: number,
  options: Record<string, unknown>,
): Socket {
  return Reflect.construct(Socket as unknown as new () => Socket, [
    type,
    options,
  ]);
}

type Exports = Record<string, (...args: number[]) => number> & {
  memory: WebAssembly.Memory;
};

/** The instance of libzmq that was made last; its latest socket and connection. */
export const latest: { exports: Exports; socket: number; fd: number } = {
  exports: {} as Exports,
  socket: 0,
  fd: -1,
};

// A context makes its instance when its first socket is made, which is after this.
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(target, args: [WebAssembly.Module, WebAssembly.Imports]) {
    const { memory } = args[1].env! as { memory: WebAssembly.Memory };
    const exports = { memory, ...new target(...args).exports } as Exports;
    const { zw_socket, zw_connected } = exports;
    if (zw_socket && zw_connected) {
      exports.zw_socket = (...args) => latest.socket = zw_socket(...args);
      exports.zw_connected = (fd) => zw_connected(latest.fd = fd!);
      latest.exports = exports;
    }
    return { exports };
  },
});

/** Writes zeros where libzmq has freed memory, as later allocations might. */
export function overwriteFreeMemory({ malloc, free, memory }: Exports): void {
  const size = 40;
  const taken = Array.from({ length: 20_000 }, () => {
    const at = malloc!(size);
    new Uint8Array(memory.buffer, at, size).fill(0);
    return at;
  });
  for (const at of taken) free!(at);
}

/** Waits for events of a socket. */
export class Monitor {
  readonly #events: Observer;
  /** The types of all events up to now. */
  readonly seen: string[] = [];

  constructor(socket: Socket) {
    this.#events = socket.events;
  }

  async until<T extends EventType>(wanted: T): Promise<EventOfType<T>> {
    for (;;) {
      const event = await within(this.#events.receive(), wanted);
      this.seen.push(event.type);
      if (event.type === wanted) return event as EventOfType<T>;
    }
  }
}

/** Closes everything it was given, last first. */
export class Cleanup {
  readonly #open: { close(): void }[] = [];

  add<T extends { close(): void }>(resource: T): T {
    this.#open.push(resource);
    return resource;
  }

  close(): void {
    for (const resource of this.#open.reverse()) resource.close();
  }
}

/** A raw message of one frame, to be sent many times. */
export function repeated(body: string, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => frame(body)));
}
