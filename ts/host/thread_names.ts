/**
 * LAYER 1, shared by the runtimes: who has bound which name of `inproc` in the threads of
 * this process, and connections to them.
 *
 * All threads share one channel. A thread says what it binds ("bound", "unbound"), asks who
 * has bound a name ("want": the answer is "bound"), and offers one thread a connection
 * ("open", with the memory). A lost message is made up for by asking again. The channel is
 * opened by the first use; before, nothing is shared and nothing costs.
 */
import type {
  Connection,
  Host,
  HostTimer,
  ThreadChannel,
  Threads,
} from "./host.ts";
import { newMemory, ThreadConnection } from "./thread_stream.ts";
import { laterUndone } from "./unused.ts";

type Message =
  | { type: "bound" | "unbound" | "want"; from: string; name: string }
  | {
    type: "open";
    from: string;
    to: string;
    name: string;
    /** Identifies the connection, and the thread that opened it. */
    id: string;
    thread: number;
    memory: SharedArrayBuffer;
  };

/** How long until a question without an answer is asked again, where messages get lost. */
const ASK_AGAIN_MS = 500;

interface Search {
  readonly name: string;
  /** Who was offered the connection last. */
  asked: string | undefined;
  /** Whether it may go on; one that has found somebody who does not answer may. */
  waits(): boolean;
  found(by: string): void;
}

export class ThreadNames {
  readonly #host: Host;
  readonly #threads: Threads;
  #id: string | undefined;
  #channel: ThreadChannel | undefined;
  readonly #bound = new Map<string, (connection: Connection) => void>();
  /** Other threads that said that they have bound a name; some may be gone meanwhile. */
  readonly #known = new Map<string, Set<string>>();
  readonly #searches = new Set<Search>();
  /** Connections, and the search that each one began with. */
  readonly #connections = new Map<ThreadConnection, Search | undefined>();
  #timer: HostTimer | undefined;
  #serial = 0;
  #unwatch = () => {};
  /** Closes the channel when nothing here is of interest to others any more. */
  readonly #unused: () => void;

  constructor(host: Host, threads: Threads) {
    this.#host = host;
    this.#threads = threads;
    this.#unused = laterUndone(
      host,
      () =>
        this.#bound.size + this.#searches.size + this.#connections.size === 0,
      () => this.#end(),
    );
  }

  get #self(): string {
    if (this.#id === undefined) {
      const bytes = new Uint8Array(16);
      this.#host.random(bytes);
      this.#id = [...bytes].map((byte) => byte.toString(16)).join("-");
    }
    return this.#id;
  }

  /** Whether the process ends with this thread. */
  get isMain(): boolean {
    return this.#threads.isMain;
  }

  /** Tells that a name is bound here; `accept` gets the connections to it. */
  bind(name: string, accept: (connection: Connection) => void): void {
    this.#bound.set(name, accept);
    this.#post({ type: "bound", from: this.#self, name });
    // Who looked for the name elsewhere may have it from here.
    this.#found(name, this.#self);
  }

  unbind(name: string): void {
    if (!this.#bound.delete(name)) return;
    this.#post({ type: "unbound", from: this.#self, name });
    this.#unused();
  }

  /** Calls `found` once, in a turn of its own, when another thread has bound the name. */
  find(name: string, found: () => void): () => void {
    const search: Search = {
      name,
      asked: undefined,
      waits: () => true,
      found: (by) => {
        if (by === this.#self) return;
        this.#stop(search);
        found();
      },
    };
    this.#search(search);
    return () => this.#stop(search);
  }

  /** Whether another thread was heard of that has bound the name. */
  knows(name: string): boolean {
    return this.#known.has(name);
  }

  /** Connects to whoever has bound the name, or will. */
  connect(name: string): Connection {
    let cut = () => {};
    const connection: ThreadConnection = new ThreadConnection(
      this.#host,
      `connect inproc ${name}`,
      () => {
        this.#stop(search);
        this.#connections.delete(connection);
        this.#unused();
        cut();
      },
    );
    const search: Search = {
      name,
      asked: undefined,
      waits: () => connection.waiting,
      found: (by) => {
        if (search.asked === by && !this.#threads.lossy) return;
        search.asked = by;
        const memory = newMemory();
        const id = `${this.#self}/${++this.#serial}`;
        cut();
        cut = this.#threads.tie?.(id, undefined, () => connection.lose()) ??
          cut;
        connection.offer(memory);
        this.#open({
          type: "open",
          from: this.#self,
          to: by,
          name,
          id,
          thread: this.#threads.self,
          memory,
        });
      },
    };
    this.#connections.set(connection, search);
    this.#search(search);
    return connection;
  }

  #search(search: Search): void {
    this.#searches.add(search);
    const { name } = search;
    this.#post({ type: "want", from: this.#self, name });
    if (this.#bound.has(name)) {
      this.#host.soon(() => this.#found(name, this.#self));
    }
    if (this.#threads.lossy) this.#askAgain();
  }

  #askAgain(): void {
    this.#timer ??= this.#host.setTimer(() => {
      this.#timer = undefined;
      for (const search of [...this.#searches]) {
        if (!search.waits()) this.#stop(search);
      }
      if (this.#searches.size === 0) return;
      for (const name of new Set([...this.#searches].map((it) => it.name))) {
        this.#post({ type: "want", from: this.#self, name });
      }
      this.#askAgain();
    }, ASK_AGAIN_MS);
  }

  #found(name: string, by: string): void {
    for (const search of [...this.#searches]) {
      if (search.name !== name) continue;
      if (search.waits()) search.found(by);
      else this.#stop(search);
    }
  }

  #stop(search: Search): void {
    this.#searches.delete(search);
    if (this.#searches.size > 0) return;
    this.#unused();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Another thread has bound a name: perhaps because the one we talk to is gone. */
  #doubt(name: string, by: string): void {
    if (this.#threads.tie) return;
    for (const [connection, search] of this.#connections) {
      if (search?.name === name && search.asked !== by) connection.probe();
    }
  }

  #post(message: Message): void {
    this.#channel ??= this.#begin();
    this.#channel.send(message);
  }

  #begin(): ThreadChannel {
    this.#unwatch = this.#threads.atExit(() => {
      for (const connection of this.#connections.keys()) connection.abandon();
    });
    return this.#threads.open((received) => this.#receive(received as Message));
  }

  /** What others say then is not heard: they are asked again. */
  #end(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#unwatch();
    this.#known.clear();
  }

  #open(message: Message & { type: "open" }): void {
    if (message.to !== this.#self) this.#post(message);
    else this.#host.soon(() => this.#receive(message));
  }

  #receive(message: Message): void {
    const { type, from, name } = message;
    if (type === "want") {
      if (this.#bound.has(name)) {
        this.#post({ type: "bound", from: this.#self, name });
      }
    } else if (type === "bound") {
      const known = this.#known.get(name);
      if (known) known.add(from);
      else this.#known.set(name, new Set([from]));
      this.#found(name, from);
      this.#doubt(name, from);
    } else if (type === "unbound") {
      const known = this.#known.get(name);
      known?.delete(from);
      if (known?.size === 0) this.#known.delete(name);
    } else if (type === "open" && message.to === this.#self) {
      this.#accept(message);
    }
  }

  #accept({ name, id, from, thread, memory }: Message & { type: "open" }) {
    const accept = this.#bound.get(name);
    if (!accept) {
      ThreadConnection.refuse(memory);
      return;
    }
    let cut: (() => void) | undefined;
    const connection: ThreadConnection | undefined = ThreadConnection.accept(
      this.#host,
      `connection accepted by inproc ${name}`,
      () => {
        if (connection) this.#connections.delete(connection);
        this.#unused();
        cut?.();
      },
      memory,
    );
    if (!connection) return;
    this.#connections.set(connection, undefined);
    if (from !== this.#self) {
      cut = this.#threads.tie?.(id, thread, () => connection.lose());
    }
    accept(connection);
  }
}
