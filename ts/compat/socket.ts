/**
 * Sockets as version 5 of the native package has them: an EventEmitter that receives
 * on its own, and a queue for what is sent.
 */
import { EventEmitter } from "node:events";
import * as process from "node:process";
import * as zmq from "zeromq-wasm";
import { ZMQ_SNDMORE } from "./constants.ts";
import { monitor } from "./monitor.ts";
import { type OptionName, read, shortOptions, write } from "./options.ts";

/** Before a test replaces it by one that waits to be told. */
const { setImmediate } = globalThis;

const CLASSES = {
  pair: zmq.Pair,
  req: zmq.Request,
  rep: zmq.Reply,
  pub: zmq.Publisher,
  sub: zmq.Subscriber,
  dealer: zmq.Dealer,
  xreq: zmq.Dealer,
  router: zmq.Router,
  xrep: zmq.Router,
  pull: zmq.Pull,
  push: zmq.Push,
  xpub: zmq.XPublisher,
  xsub: zmq.XSubscriber,
  stream: zmq.Stream,
} as const;

/** The names of the socket types. */
export type SocketType = keyof typeof CLASSES;

type Callback = (error?: Error) => void;
type Frame = zmq.MessageLike;

/** A message that waits to be sent. */
interface Outgoing {
  readonly frames: Frame[];
  readonly callback: Callback | undefined;
}

/** What is in a socket; `receive` and `send` only where the type has them. */
type Inner = zmq.Socket & Partial<zmq.Readable & zmq.Writable>;

/**
 * A socket, made by `socket(type)`. Options are properties under their short names, such
 * as `identity`; a value that libzmq refuses throws a ZmqError. Events: `message` (a buffer per frame), `error`, `bind`, `unbind`, and after
 * `monitor()` `connect`, `connect_delay`, `connect_retry`, `listen`, `bind_error`,
 * `accept`, `accept_error`, `close`, `close_error`, `disconnect`.
 *
 * ```js
 * const replier = socket("rep");
 * replier.on("message", (text) => replier.send(`${text}, World`));
 * replier.bind("tcp://127.0.0.1:5555", (error) => { if (error) throw error; });
 * ```
 */
export class Socket extends EventEmitter {
  /**
   * Options by their short names, such as `identity` and `linger`. (`any`, because programs read
   * them as what they are, and their names are those of version 5.)
   */
  // deno-lint-ignore no-explicit-any
  [option: string]: any;
  readonly type: SocketType;
  readonly #socket: Inner;
  /** Frames of a message whose last one is still to come. */
  #frames: Frame[] = [];
  readonly #outgoing: Outgoing[] = [];
  /** Received while paused. */
  readonly #incoming: zmq.Message[][] = [];
  #paused = false;
  #sending = false;
  #receiving = false;
  #events: zmq.Observer | undefined;

  constructor(type: SocketType) {
    super();
    const Class = Object.hasOwn(CLASSES, type) ? CLASSES[type] : undefined;
    if (!Class) throw new Error(`Invalid socket type: ${type}`);
    this.type = type;
    this.#socket = new Class() as Inner;
    void this.#receive();
  }

  async #receive(): Promise<void> {
    const socket = this.#socket;
    if (!socket.receive || this.#receiving) return;
    this.#receiving = true;
    while (!socket.closed && !this.#paused) {
      const kept = this.#incoming.shift();
      if (kept) {
        this.#later("message", ...kept);
        continue;
      }
      try {
        const message = await socket.receive();
        if (this.#paused) this.#incoming.push(message);
        else this.#later("message", ...message);
      } catch (error) {
        if (socket.closed) break;
        // Binding refuses everything else meanwhile; it lasts some turns of the loop.
        if ((error as zmq.ZmqError).code === "EBUSY") await nextTurn();
        else {
          this.#later("error", error);
          if ((error as zmq.ZmqError).code !== "EAGAIN") break;
        }
      }
    }
    this.#receiving = false;
  }

  async #flush(): Promise<void> {
    const socket = this.#socket;
    if (this.#sending) return;
    this.#sending = true;
    while (!socket.closed && !this.#paused && this.#outgoing.length > 0) {
      const { frames, callback } = this.#outgoing.shift()!;
      let failure: unknown;
      try {
        if (!socket.send) {
          throw new Error("Cannot send on this socket type.");
        }
        for (;;) {
          try {
            await socket.send(frames);
            break;
          } catch (error) {
            if (
              socket.closed || (error as zmq.ZmqError).code !== "EBUSY"
            ) throw error;
            await nextTurn();
          }
        }
      } catch (error) {
        failure = error;
      }
      // Not here, where what it throws would end the queue.
      if (callback) this.#call(callback, failure);
      else if (failure !== undefined) this.#later("error", failure);
    }
    this.#sending = false;
  }

  #later(event: string, ...values: unknown[]): void {
    process.nextTick(() => this.emit(event, ...values));
  }

  #call(callback: Callback, failure: unknown): void {
    process.nextTick(() =>
      failure === undefined ? callback() : callback(failure as Error)
    );
  }

  /**
   * (man zmq_bind) Then emits `bind` with the address and calls `callback`. What goes
   * wrong is given to `callback`, or emitted as `error` if there is none.
   */
  bind(address: string, callback?: Callback): this {
    return this.#settle(this.#socket.bind(address), "bind", address, callback);
  }

  /** (man zmq_unbind) Then emits `unbind`; otherwise as `bind`. */
  unbind(address: string, callback?: Callback): this {
    const done = this.#socket.unbind(address);
    return this.#settle(done, "unbind", address, callback);
  }

  #settle(
    done: Promise<void>,
    event: string,
    address: string,
    callback: Callback | undefined,
  ): this {
    done.then(() => {
      process.nextTick(() => {
        this.emit(event, address);
        callback?.();
      });
    }, (error) => {
      if (callback) this.#call(callback, error);
      else this.#later("error", error);
    });
    return this;
  }

  /** As `bind`, at once. Throws ENOTSUP where the runtime cannot: see docs/runtimes.md. */
  bindSync(address: string): void {
    this.#socket.bindSync(address);
  }

  /** As `unbind`, at once. Throws ENOENT for an address that is not bound. */
  unbindSync(address: string): void {
    this.#socket.unbindSync(address);
  }

  /** (man zmq_connect) Throws EINVAL for an address that is none. */
  connect(address: string): this {
    this.#socket.connect(address);
    return this;
  }

  /** (man zmq_disconnect) Throws ENOENT for an address that is not connected to. */
  disconnect(address: string): this {
    this.#socket.disconnect(address);
    return this;
  }

  /**
   * Queues a message; with ZMQ_SNDMORE, frames of one whose rest comes with the next
   * call. `callback` is called when libzmq has it, or with the error; without one,
   * `error` is emitted.
   */
  send(
    message: Frame[] | Frame,
    flags?: number | null,
    callback?: Callback,
  ): this {
    this.#frames = this.#frames.concat(message);
    if ((Number(flags ?? 0) & ZMQ_SNDMORE) === 0) {
      this.#outgoing.push({ frames: this.#frames, callback });
      this.#frames = [];
      if (!this.#paused) void this.#flush();
    }
    return this;
  }

  /** Throws an Error, as it does in the native package. */
  read(): void {
    throw new Error(
      "read() has been removed from compatibility mode; " +
        "use on('message', ...) instead.",
    );
  }

  /** Neither sends nor tells of messages until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  /** Sends and tells what waited, in its order. */
  resume(): void {
    this.#paused = false;
    void this.#receive();
    void this.#flush();
  }

  /** (man zmq_close) What is queued is still sent, as `linger` says. Again: no effect. */
  close(): this {
    this.#socket.close();
    return this;
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#socket.closed;
  }

  /**
   * From now on tells of connections (man zmq_socket_monitor), each event with its value,
   * its address and its error. Arguments have no effect, and a warning says so.
   */
  monitor(interval?: number, count?: number): this {
    if (this.#events && !this.#events.closed) return this;
    this.#events = new zmq.Observer(this.#socket);
    monitor(this, this.#socket, this.#events, Boolean(interval || count));
    return this;
  }

  /** Tells no longer; without `monitor` before: no effect. */
  unmonitor(): this {
    this.#events?.close();
    return this;
  }

  /** Receives what begins with `filter`. Throws an Error unless the type is `sub`. */
  subscribe(filter: string): this {
    this.#subscriber.subscribe(filter);
    return this;
  }

  /** Takes back one `subscribe` of the same filter. Throws as `subscribe` does. */
  unsubscribe(filter: string): this {
    this.#subscriber.unsubscribe(filter);
    return this;
  }

  get #subscriber(): zmq.Subscriber {
    if (this.#socket instanceof zmq.Subscriber) return this.#socket;
    throw new Error("Subscriber socket required");
  }

  /**
   * (man zmq_setsockopt) Sets an option by its number, its name in zmq.h or its short name.
   * Throws an Error for one that is unknown, a ZmqError for a value that libzmq refuses.
   */
  setsockopt(option: OptionName, value: unknown): this {
    write(this.#socket, option, value);
    return this;
  }

  /** (man zmq_getsockopt) The option, named as for `setsockopt`. Throws as it does. */
  getsockopt(option: OptionName): string | number | boolean | null {
    return read(this.#socket, option) as string | number | boolean | null;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

for (const name of Object.keys(shortOptions) as (keyof typeof shortOptions)[]) {
  Object.defineProperty(Socket.prototype, name, {
    configurable: true,
    get(this: Socket) {
      return this.getsockopt(name);
    },
    set(this: Socket, value: unknown) {
      this.setsockopt(name, value);
    },
  });
}
