/** A SOCKS5 proxy (RFC 1928, 1929) that also does what none should. */
import { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { use, within } from "../socket/tools.ts";

/** What a client has asked for. */
export interface Request {
  /** The methods it offered; the user and password, where it was asked for them. */
  methods: number[];
  login?: [string, string];
  command?: number;
  /** How the address was written: 1 IPv4, 3 a name, 4 IPv6. */
  kind?: number;
  host?: string;
  port?: number;
}

interface Setup {
  /** User and password to ask for. */
  login?: [string, string];
  /** Where names lead to, instead of the address asked for. */
  names?: Record<string, number>;
  /** Sends each answer byte by byte. */
  slow?: boolean;
  /** Instead of the first, second or third answer; null ends the connection there. */
  answers?: (Uint8Array | null | undefined)[];
}

/** The bytes of a connection, one after the other. */
class Reader {
  #bytes: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  #ended = false;
  constructor(readonly socket: Socket) {
    socket.on("data", this.#data);
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }
  readonly #data = (chunk: Buffer) => {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#wake();
  };
  async read(size: number): Promise<Buffer> {
    while (this.#bytes.length < size) {
      if (this.#ended) throw new Error("ended");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const out = this.#bytes.subarray(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return out;
  }
  async text(): Promise<string> {
    const [size] = await this.read(1);
    return (await this.read(size!)).toString("latin1");
  }
  /** Gives the socket back, with what was read too much. */
  release(): Buffer {
    this.socket.off("data", this.#data);
    return this.#bytes;
  }
}

export class Proxy {
  readonly requests: Request[] = [];
  readonly #server: Server;
  readonly #setup: Setup;
  readonly #sockets = new Set<Socket>();
  #wake: () => void = () => {};

  private constructor(setup: Setup) {
    this.#setup = setup;
    this.#server = createServer((socket) => {
      this.#follow(socket);
      const request: Request = { methods: [] };
      this.requests.push(request);
      this.#serve(socket, request).catch(() => socket.destroy());
      this.#wake();
    });
  }

  static async start(setup: Setup = {}): Promise<Proxy> {
    const proxy = use(new Proxy(setup));
    await within(
      new Promise<void>((resolve) =>
        proxy.#server.listen(0, "127.0.0.1", resolve)
      ),
      "a proxy",
    );
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits until so many clients have come. */
  async clients(count: number): Promise<void> {
    while (this.requests.length < count) {
      const came = new Promise<void>((resolve) => this.#wake = resolve);
      await within(came, `client ${count}`);
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #follow(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async #serve(socket: Socket, request: Request): Promise<void> {
    const reader = new Reader(socket);
    const { login, names = {}, slow, answers = [] } = this.#setup;
    let turn = 0;
    const answer = async (...usual: number[]): Promise<boolean> => {
      const other = answers[turn++];
      if (other === null) {
        socket.end();
        return false;
      }
      const bytes = other ?? Buffer.from(usual);
      for (let i = 0; i < bytes.length; i += slow ? 1 : bytes.length) {
        socket.write(slow ? bytes.subarray(i, i + 1) : bytes);
        if (slow) await new Promise<void>((resolve) => setTimeout(resolve));
      }
      return true;
    };

    const [version, count] = await reader.read(2);
    if (version !== 5) throw new Error(`version ${version}`);
    request.methods.push(...await reader.read(count!));
    if (!await answer(5, login ? 2 : 0)) return;
    if (login) {
      await reader.read(1);
      request.login = [await reader.text(), await reader.text()];
      const right = String(request.login) === String(login);
      if (!await answer(1, right ? 0 : 1) || !right) return void socket.end();
    }
    const [, command, , kind] = await reader.read(4);
    Object.assign(request, { command, kind });
    if (kind === 1) request.host = [...await reader.read(4)].join(".");
    else if (kind === 3) request.host = await reader.text();
    else request.host = (await reader.read(16)).toString("hex");
    request.port = (await reader.read(2)).readUInt16BE();

    const known = names[request.host];
    const target = connect(
      known ?? request.port,
      known === undefined ? request.host : "127.0.0.1",
    );
    this.#follow(target);
    await new Promise<void>((resolve, reject) =>
      target.once("connect", resolve).once("error", reject)
    );
    if (!await answer(5, 0, 0, 1, 127, 0, 0, 1, 0, 80)) return;
    const rest = reader.release();
    if (rest.length > 0) target.write(rest);
    socket.pipe(target).pipe(socket);
    const end = () => {
      socket.destroy();
      target.destroy();
    };
    socket.on("close", end);
    target.on("close", end);
  }
}
