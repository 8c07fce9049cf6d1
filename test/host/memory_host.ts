/**
 * A host without a network: connections are linked pairs in memory, addresses are
 * names. Shows that `Host` is all the library needs.
 */
import {
  type Connection,
  type ConnectionEvents,
  type Host,
  type HostAddress,
  HostError,
  type Listener,
} from "zeromq-wasm";

type Name = { host: string; port: number };
const key = (address: HostAddress) =>
  address.kind === "ipc" ? address.path : String(address.port);

class End implements Connection {
  peer!: End;
  #events: ConnectionEvents | undefined;
  #paused = false;
  #over = false;
  #waiting: (() => void)[] = [];

  constructor(
    readonly local: Name | undefined,
    readonly remote: Name | undefined,
  ) {}

  /** Runs it with the events in a turn of its own, in order, when someone listens. */
  tell(task: (events: ConnectionEvents) => void, data = false): void {
    setImmediate(() => {
      const run = () => this.#events && task(this.#events);
      const wait = !this.#over &&
        (!this.#events || (this.#paused && data) || this.#waiting.length > 0);
      if (wait) this.#waiting.push(run);
      else run();
    });
  }
  #flush(): void {
    setImmediate(() => {
      while (!this.#paused && this.#waiting.length) this.#waiting.shift()!();
    });
  }
  start(events: ConnectionEvents): void {
    this.#events = events;
    this.#flush();
  }
  write(bytes: Uint8Array): boolean {
    // Every other write is slow: the memory is held until it is delivered.
    const slow = bytes.length % 2 === 1;
    const given = slow ? bytes : bytes.slice();
    this.peer.tell((events) => {
      events.data(given);
      if (slow) this.tell((events) => events.drained());
    }, true);
    return !slow;
  }
  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
    this.#flush();
  }
  setNoDelay(): void {}
  setKeepAlive(): void {}
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#events = undefined;
    this.peer?.tell((events) => events.ended());
  }
  /** For a connection that nobody accepts. */
  fail(error: HostError): void {
    this.tell((events) => {
      this.close();
      events.closed(error);
    });
  }
}

export interface MemoryHost extends Host {
  /** How often each method was called. */
  readonly calls: Map<string, number>;
  /** Held `keepAlive`s. */
  readonly alive: () => number;
  readonly timers: () => number;
}

export function memoryHost(): MemoryHost {
  const listeners = new Map<string, (connection: Connection) => void>();
  const calls = new Map<string, number>();
  let ports = 1000, alive = 0, timers = 0;

  const host: Host = {
    name: "memory",
    connect(address) {
      const tcp = address.kind === "tcp";
      const server = tcp ? { host: "10.0.0.1", port: address.port } : undefined;
      const client = tcp ? { host: "10.0.0.2", port: ++ports } : undefined;
      const near = new End(client, server), far = new End(server, client);
      near.peer = far;
      far.peer = near;
      setImmediate(() => {
        const accept = listeners.get(key(address));
        if (!accept) {
          near.fail(new HostError("ECONNREFUSED", "nobody listens"));
          return;
        }
        near.tell((events) => events.connected());
        accept(far);
      });
      return near;
    },
    listen(address) {
      const port = address.kind === "tcp" ? address.port || ++ports : 0;
      const name = address.kind === "ipc" ? address.path : String(port);
      if (listeners.has(name) && address.kind === "tcp") {
        return Promise.reject(new HostError("EADDRINUSE", `${name} is taken`));
      }
      let accepting: (connection: Connection) => void = () => {};
      const accept = (connection: Connection) => accepting(connection);
      listeners.set(name, accept);
      const listener: Listener = {
        local: address.kind === "tcp"
          ? { host: address.host, port }
          : undefined,
        start: (onConnection) => void (accepting = onConnection),
        close() {
          // Who binds a path takes it.
          if (listeners.get(name) === accept) listeners.delete(name);
        },
      };
      return Promise.resolve(listener);
    },
    resolve: (name) =>
      name === "home"
        ? Promise.resolve(["10.0.0.1"])
        : Promise.reject(new HostError("ENOTFOUND", `no ${name}`)),
    checkConnect(address) {
      if (key(address) === "6666") {
        throw new HostError("EACCES", "that port is forbidden");
      }
    },
    interfaces: () => [{ name: "mem0", address: "10.0.0.1", family: 4 }],
    makeTempDir: () => `/nowhere/${++ports}`,
    removeTempDir: () => {},
    now: () => performance.now(),
    random: (bytes) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.random() * 256;
    },
    soon: (task) => queueMicrotask(task),
    later: (task) => void setTimeout(task, 0),
    setTimer(task, ms) {
      timers++;
      let over = false;
      const done = () => {
        if (!over) timers--;
        over = true;
      };
      const timer = setTimeout(() => {
        done();
        task();
      }, ms);
      timer.unref();
      return {
        cancel() {
          done();
          clearTimeout(timer);
        },
      };
    },
    keepAlive() {
      alive++;
      return () => void alive--;
    },
    beforeExit: () => () => {},
    env: () => undefined,
    errno: (code) => code.length,
  };
  for (const [name, method] of Object.entries(host)) {
    if (typeof method !== "function") continue;
    Object.assign(host, {
      [name]: (...args: unknown[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1);
        return (method as (...args: unknown[]) => unknown)(...args);
      },
    });
  }
  return Object.assign(host, {
    calls,
    alive: () => alive,
    timers: () => timers,
  });
}
