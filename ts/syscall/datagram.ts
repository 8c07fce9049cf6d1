/**
 * The datagram sockets behind file descriptors of the module: opened when libzmq
 * binds or first sends, with what waits until they are open.
 *
 * To libzmq no call here ever fails: its engine would open the socket again at once,
 * without end. What cannot be sent is lost, as UDP allows.
 */
import type {
  DatagramAddress,
  DatagramOptions,
  DatagramSocket,
  Host,
} from "../host/host.ts";
import { hostError } from "../host/messages.ts";
import type { Kernel } from "./kernel.ts";

/** Datagrams given to the host, or waiting to be, at which libzmq is asked to pause. */
const FULL = 128;
/** At which it may go on, and at which more are dropped (it does not always pause). */
const ENOUGH = 32, TOO_MANY = 256;
/** Bytes of input that libzmq has not fetched, above which more are dropped. */
const INPUT_BYTES = 256 * 1024;
/** What each datagram costs besides its bytes. */
const DATAGRAM_COST = 256;

interface Datagram extends DatagramAddress {
  bytes: Uint8Array;
}

/** What one fd has. */
interface Port {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly multicast: NonNullable<DatagramOptions["multicast"]>;
  socket: DatagramSocket | undefined;
  /** Opening, or resolving a name. */
  busy: boolean;
  closed: boolean;
  full: boolean;
  readonly output: Datagram[];
  /** Given to the host and not confirmed. */
  flying: number;
  readonly input: Datagram[];
  inputBytes: number;
  readonly names: Map<string, string>;
}

const isLiteral = (host: string): boolean =>
  host.includes(":") || /^[\d.]+$/.test(host);

export class DatagramTable {
  readonly #host: Host;
  readonly #kernel: Kernel;
  readonly #ports = new Map<number, Port>();
  /** Closed, but still sending. */
  readonly #ending = new Set<Port>();
  #release: (() => void) | undefined;
  /** Sockets opened before libzmq asks for them, by what it will ask for. */
  readonly #prepared = new Map<string, DatagramSocket>();
  /** The bind under way for each of these, until it is settled. */
  readonly #turns = new Map<string, { over: Promise<void>; end(): void }>();

  constructor(host: Host, kernel: Kernel) {
    this.#host = host;
    this.#kernel = kernel;
  }

  /** Open sockets. */
  get size(): number {
    let open = this.#prepared.size + this.#ending.size;
    for (const { socket } of this.#ports.values()) if (socket) open++;
    return open;
  }

  /**
   * Opens where `target` ("u4 127.0.0.1 5555", see zw_bind_target) says, for the `bind`
   * of the module that follows. Returns what to settle afterwards, and the port that the
   * socket has got. Rejects with a HostError.
   */
  async prepare(target: string): Promise<{ key: string; port: number }> {
    const [family, host, port, group, ...words] = target.split(" ");
    const via = words.join(" ");
    const { datagrams } = this.#host;
    if (!datagrams) throw unsupported(this.#host);
    const socket = await datagrams.open({
      family: family === "u4" ? 4 : 6,
      local: { host: host!, port: Number(port) },
      // As libzmq has it; but the system might choose a port that another shares.
      shared: port !== "0" || group !== undefined,
      ...(group !== undefined &&
        { membership: { group, ...(via !== "*" && { via: via! }) } }),
    });
    const key = `${family} ${host} ${socket.local.port}`;
    // Others may share the address.
    for (let turn; (turn = this.#turns.get(key));) await turn.over;
    let end = () => {};
    const over = new Promise<void>((resolve) => end = resolve);
    this.#turns.set(key, { over, end });
    this.#prepared.set(key, socket);
    return { key, port: socket.local.port };
  }

  /** Whether libzmq has not taken yet what was prepared. */
  waits(key: string): boolean {
    return this.#prepared.has(key);
  }

  /** The socket that libzmq did not take is closed. */
  settle(key: string): void {
    this.#prepared.get(key)?.close();
    this.#prepared.delete(key);
    this.#turns.get(key)?.end();
    this.#turns.delete(key);
  }

  // --- calls of the module

  bind(fd: number, family: number, host: string, port: number): void {
    const key = `u${family} ${host} ${port}`;
    const socket = this.#prepared.get(key);
    this.#prepared.delete(key);
    // Without one, nobody waits any more for what this fd could receive.
    if (socket) this.#adopt(this.#port(fd, family), socket);
  }

  /** Before the first datagram is sent. */
  setMulticast(
    fd: number,
    family: number,
    options: Partial<Port["multicast"]>,
  ): void {
    Object.assign(this.#port(fd, family).multicast, options);
  }

  /** Takes bytes of the module's memory. False: no more until the kernel says so. */
  send(
    fd: number,
    bytes: Uint8Array,
    family: number,
    host: string,
    port: number,
  ): boolean {
    const p = this.#port(fd, family);
    if (p.output.length + p.flying < TOO_MANY) {
      p.output.push({ bytes: bytes.slice(), host, port });
      this.#advance(p);
    }
    p.full ||= p.output.length + p.flying >= FULL;
    return !p.full;
  }

  /** Moves the next datagram to `memory`; there is one. */
  receive(
    fd: number,
    memory: Uint8Array,
    at: number,
    room: number,
  ): { size: number; host: string; port: number } {
    const p = this.#ports.get(fd)!;
    const { bytes, host, port } = p.input.shift()!;
    p.inputBytes -= bytes.length + DATAGRAM_COST;
    const size = Math.min(bytes.length, room);
    memory.set(size < bytes.length ? bytes.subarray(0, size) : bytes, at);
    return { size, host, port };
  }

  /** What was taken to be sent still is. */
  close(fd: number): void {
    const p = this.#ports.get(fd);
    if (!p) return;
    this.#ports.delete(fd);
    p.closed = true;
    this.#ending.add(p);
    this.#end(p);
    if (this.#ending.has(p)) this.#release ??= this.#host.keepAlive();
  }

  /** Closes everything at once: the instance is gone. */
  closeAll(): void {
    for (const key of [...this.#prepared.keys()]) this.settle(key);
    for (const p of [...this.#ports.values(), ...this.#ending]) {
      p.closed = true;
      p.output.length = p.flying = 0;
      this.#ending.add(p);
      this.#end(p);
    }
    this.#ports.clear();
  }

  // --- one fd

  #port(fd: number, family: number): Port {
    let p = this.#ports.get(fd);
    if (!p) {
      p = {
        fd,
        family: family === 4 ? 4 : 6,
        multicast: {},
        socket: undefined,
        busy: false,
        closed: false,
        full: false,
        output: [],
        flying: 0,
        input: [],
        inputBytes: 0,
        names: new Map(),
      };
      this.#ports.set(fd, p);
    }
    return p;
  }

  #adopt(p: Port, socket: DatagramSocket): void {
    p.socket = socket;
    socket.start((bytes, host, port) => {
      if (p.closed || p.inputBytes > INPUT_BYTES) return;
      const datagram = { bytes, host, port };
      p.input.push(datagram);
      p.inputBytes += bytes.length + DATAGRAM_COST;
      this.#kernel.input(p.fd, 1);
      // What libzmq left: the host's memory is not ours after the call.
      if (p.input.at(-1) === datagram) datagram.bytes = bytes.slice();
    });
  }

  /** Sends what can be sent; opens and resolves what is needed for it. */
  #advance(p: Port): void {
    while (p.output.length > 0 && !p.busy) {
      const { socket } = p;
      const { bytes, host, port } = p.output[0]!;
      const ip = isLiteral(host) ? host : p.names.get(host);
      if (!socket) this.#wait(p, this.#open(p));
      else if (ip === undefined) this.#wait(p, this.#resolve(p, host));
      else {
        p.output.shift();
        p.flying++;
        socket.send(bytes, { host: ip, port }, () => this.#sent(p));
      }
    }
  }

  #sent(p: Port): void {
    if (p.flying > 0) p.flying--;
    this.#relieve(p);
    this.#end(p);
  }

  #relieve(p: Port): void {
    if (p.closed || !p.full || p.output.length + p.flying > ENOUGH) return;
    p.full = false;
    this.#kernel.writable(p.fd);
  }

  #wait(p: Port, work: Promise<void>): void {
    p.busy = true;
    work.catch(() => {
      // All that waited is lost; the next datagram tries again.
      p.output.length = 0;
    }).then(() => {
      p.busy = false;
      this.#advance(p);
      this.#relieve(p);
      this.#end(p);
    });
  }

  async #open(p: Port): Promise<void> {
    const { datagrams } = this.#host;
    if (!datagrams) throw unsupported(this.#host);
    const everywhere = p.family === 4 ? "0.0.0.0" : "::";
    const socket = await datagrams.open({
      family: p.family,
      local: { host: everywhere, port: 0 },
      shared: false,
      multicast: p.multicast,
    });
    this.#adopt(p, socket);
  }

  async #resolve(p: Port, name: string): Promise<void> {
    const [ip] = await this.#host.resolve(name, p.family);
    p.names.set(name, ip!);
  }

  /** Closes the socket of a closed fd once it has nothing left to send. */
  #end(p: Port): void {
    if (!p.closed || p.busy || p.output.length + p.flying > 0) return;
    p.socket?.close();
    p.socket = undefined;
    this.#ending.delete(p);
    if (this.#ending.size > 0) return;
    this.#release?.();
    this.#release = undefined;
  }
}

function unsupported({ name }: Host): Error {
  return hostError("udp", "EPROTONOSUPPORT", undefined, `not on ${name}`);
}
