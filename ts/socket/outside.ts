/**
 * `inproc` between threads: each has an instance of libzmq of its own, and the host carries
 * bytes between them.
 *
 * Within a thread libzmq does everything, as ever. What connects to a name that the thread
 * has not bound waits in libzmq; when another thread turns out to have bound it, that
 * connection goes on through the host, with all that was sent already
 * (patches/0005-inproc-outside.patch). A bound socket gets a listener for other threads when
 * the first of them connects.
 */
import type { Connection, Host, Listener } from "../host/host.ts";
import { ThreadNames } from "../host/thread_names.ts";
import { canShare } from "../host/thread_stream.ts";
import type { Reactor } from "../reactor/reactor.ts";
import type { Channel } from "./channel.ts";
import { unmet } from "./parting.ts";

/** No file can be there. The patch knows the beginning. */
const PATH = "/dev/null/zeromq-wasm/";
const INPROC = "inproc://";
/** Each instance has a handler of its own, and our monitors are nobody else's. */
const PRIVATE = /^inproc:\/\/zeromq(?:\.zap\.01$|-wasm\.)/;

/** Where libzmq listens for other threads: we accept for it. */
class Door implements Listener {
  readonly local: undefined;
  #enter: ((connection: Connection) => void) | undefined;

  start(onConnection: (connection: Connection) => void): void {
    this.#enter = onConnection;
  }
  close(): void {
    this.#enter = undefined;
  }
  accept(connection: Connection): void {
    if (this.#enter) this.#enter(connection);
    else connection.close();
  }
}

/** Where other threads are met at a name. */
interface Place {
  readonly path: string;
  /** Messages may still wait there, for as long as `linger` says. */
  lasts: boolean;
}

/** What a socket has with other threads. */
interface Ends {
  readonly bound: Set<string>;
  /** Names that are looked for, and how to stop that; one for each `connect`. */
  readonly searches: { address: string; cancel(): void }[];
  /** Names connected to in other threads. */
  readonly connected: Set<string>;
}

export class Outside {
  readonly #reactor: Reactor;
  readonly #names: ThreadNames;
  readonly #ends = new Map<Channel, Ends>();
  /** For each name that other threads are met at, by a number. */
  readonly #places = new Map<string, Place>();
  #serial = 0;

  /** Undefined where threads cannot reach each other. */
  static create(host: Host, reactor: Reactor): Outside | undefined {
    return host.threads && canShare
      ? new Outside(reactor, new ThreadNames(host, host.threads))
      : undefined;
  }

  private constructor(reactor: Reactor, names: ThreadNames) {
    this.#reactor = reactor;
    this.#names = names;
  }

  #endsOf(channel: Channel): Ends {
    const known = this.#ends.get(channel);
    if (known) return known;
    const ends = {
      bound: new Set<string>(),
      searches: [],
      connected: new Set<string>(),
    };
    this.#ends.set(channel, ends);
    return ends;
  }

  #pathOf(address: string): string {
    const known = this.#places.get(address);
    if (known) return known.path;
    const path = PATH + this.#serial++;
    this.#places.set(address, { path, lasts: false });
    const name = address.slice(INPROC.length);
    const { fds } = this.#reactor.instance;
    fds.outside.set(path, () => this.#names.connect(name));
    return path;
  }

  /** A socket is about to meet nobody there any more, which then perhaps none does. */
  #leave(channel: Channel, address: string): void {
    const place = this.#places.get(address);
    if (!place) return;
    place.lasts ||= channel.core.register.of(channel).queuedToSend > 0;
    if (place.lasts) return;
    for (const { bound, connected } of this.#ends.values()) {
      if (bound.has(address) || connected.has(address)) return;
    }
    this.#places.delete(address);
    this.#reactor.instance.fds.outside.delete(place.path);
  }

  #call(name: string, channel: Channel, ...texts: string[]): number {
    const { memory } = this.#reactor.instance;
    const call = (args: number[]): number =>
      args.length === texts.length
        ? this.#reactor.call(name, channel.pointer, ...args)
        : memory.withString(
          texts[args.length]!,
          (ptr) => call([...args, ptr]),
        );
    const rc = call([]);
    channel.changed();
    return rc;
  }

  /** libzmq has bound a socket. */
  bound(channel: Channel, address: string): void {
    if (!address.startsWith(INPROC) || PRIVATE.test(address)) return;
    this.#endsOf(channel).bound.add(address);
    let door: Door | undefined;
    this.#names.bind(address.slice(INPROC.length), (connection) => {
      if (this.#reactor.instance.dead) {
        connection.close();
        return;
      }
      if (!door) {
        door = new Door();
        const { fds } = this.#reactor.instance;
        const target = `1 ${this.#pathOf(address)}`;
        fds.offer(target, door);
        const rc = this.#call("zw_bind_outside", channel, target.slice(2));
        fds.settle(target);
        if (rc < 0) door = undefined;
      }
      if (door) door.accept(connection);
      else connection.close();
    });
  }

  /** libzmq has connected a socket: perhaps to a name that is not bound here. */
  connected(channel: Channel, address: string): void {
    if (!address.startsWith(INPROC) || PRIVATE.test(address)) return;
    for (const { bound } of this.#ends.values()) {
      if (bound.has(address)) return;
    }
    const { searches } = this.#endsOf(channel);
    const name = address.slice(INPROC.length);
    const go = () => {
      searches.splice(searches.indexOf(search), 1);
      this.#go(channel, address);
    };
    const search = { address, cancel: () => {} };
    searches.push(search);
    if (this.#names.knows(name)) go();
    else search.cancel = this.#names.find(name, go);
  }

  #go(channel: Channel, address: string): void {
    if (channel.closed || this.#reactor.instance.dead) return;
    // Nothing waits any more if the name was bound here meanwhile.
    if (unmet(channel, address) < 0) return;
    const path = this.#pathOf(address);
    if (this.#call("zw_connect_outside", channel, address, path) < 0) return;
    this.#ends.get(channel)?.connected.add(address);
    this.#reactor.touch();
  }

  /** Before libzmq ends what was bound or connected; true if there is something to end. */
  end(channel: Channel, name: string, address: string): boolean {
    const ends = this.#ends.get(channel);
    if (!ends) return false;
    if (name === "zmq_unbind") {
      if (ends.bound.delete(address)) {
        this.#names.unbind(address.slice(INPROC.length));
        const place = this.#places.get(address);
        if (place) this.#call(name, channel, `ipc://${place.path}`);
        this.#leave(channel, address);
      }
      return false;
    }
    for (const search of [...ends.searches]) {
      if (search.address !== address) continue;
      search.cancel();
      ends.searches.splice(ends.searches.indexOf(search), 1);
      // libzmq itself would wait for a bind, and the socket could never go.
      if (unmet(channel, address) > 0) this.#go(channel, address);
    }
    if (!ends.connected.delete(address)) return false;
    const path = this.#pathOf(address);
    this.#leave(channel, address);
    return this.#call(name, channel, `ipc://${path}`) === 0;
  }

  /**
   * At the end of the program: what no other thread has bound by now, nobody will, as those that
   * are left end with this one. `sockets` are all that may wait for that, also closed ones.
   */
  forsake(sockets: number[]): void {
    if (!this.#names.isMain || this.#reactor.instance.dead) return;
    for (const socket of sockets) this.#reactor.call("zw_forsake", socket);
    for (const { searches } of this.#ends.values()) {
      for (const { cancel } of searches.splice(0)) cancel();
    }
  }

  /** Before a socket closes. */
  closing(channel: Channel): void {
    const ends = this.#ends.get(channel);
    if (!ends) return;
    this.#ends.delete(channel);
    // What was sent waits for another thread, and only until `linger` is over.
    for (const { address, cancel } of ends.searches) {
      cancel();
      this.#go(channel, address);
    }
    for (const address of ends.bound) {
      this.#names.unbind(address.slice(INPROC.length));
    }
    for (const address of [...ends.bound, ...ends.connected]) {
      this.#leave(channel, address);
    }
  }
}
