/**
 * LAYER 1, shared by the runtimes: the file of an ipc listener.
 *
 * Who binds a path takes it, as in libzmq, whoever listens there. But a runtime that closes a
 * listener removes what is at its path by then: the file of who took it, or, after `chdir`, any
 * file of that name. So it listens at a fresh name beside the path, and the socket is moved from
 * there to the path, which replaces what is there: the runtime finds nothing to remove. What is
 * at the path goes only as long as it is the file that was put there.
 *
 * Where that cannot be, the runtime listens at the path itself, and removes what it finds there.
 * So do all failures come from there, as those of libzmq do.
 */
import { type HostAddress, HostError, type Listener } from "./host.ts";
import { byteLength } from "./messages.ts";

/** What a runtime does with files; all but `permits` and `absolute` throw HostErrors. */
export interface Files {
  /** Whether a file may be there, by that name, without a question to anybody. */
  permits(path: string): boolean;
  /** A relative path as it is from everywhere; unchanged if that is not to be had. */
  absolute(path: string): string;
  /** What is there; links are not followed. Undefined if nothing is. */
  find(path: string): { id: string; isDirectory: boolean } | undefined;
  rename(from: string, to: string): void;
  /** Removes a file that is no directory. */
  unlink(path: string): void;
  /**
   * Calls `task` when this thread ends; not everywhere, nor if it is terminated. Returns what takes
   * that back.
   */
  atExit(task: () => void): () => void;
}

/** How many bytes of a path every system takes; Linux takes four more. */
const MOST_BYTES = 103;

/** Listeners that are open. */
const open = new Set<FileListener>();
/** Those that listen at their path itself. */
const direct = new Map<string, FileListener>();
/** While there are any, their files go with the thread. */
let watch: (() => void) | undefined;

class FileListener implements Listener {
  readonly local = undefined;
  readonly #listener: Listener;
  readonly #files: Files;
  readonly #path: string;
  readonly #id: string | undefined;

  constructor(
    listener: Listener,
    files: Files,
    path: string,
    id: string | undefined,
  ) {
    this.#listener = listener;
    this.#files = files;
    this.#path = path;
    this.#id = id;
    open.add(this);
    watch ??= files.atExit(() => open.forEach((each) => each.remove()));
  }

  start(onConnection: Parameters<Listener["start"]>[0]): void {
    this.#listener.start(onConnection);
  }

  close(): void {
    if (!open.delete(this)) return;
    if (open.size === 0) {
      watch?.();
      watch = undefined;
    }
    if (direct.get(this.#path) === this) direct.delete(this.#path);
    // While the socket is open no other file can have its number.
    this.remove();
    this.#listener.close();
  }

  /** Removes the file that was put there, if it still is. */
  remove(): void {
    const files = this.#files, path = this.#path;
    try {
      if (this.#id === undefined || !files.permits(path)) return;
      if (files.find(path)?.id === this.#id) files.unlink(path);
    } catch (error) {
      // It stays, as that of a killed process does: who binds the path takes it.
      if (!(error instanceof HostError)) throw error;
    }
  }
}

/** `path` with another name in the same directory. */
const beside = (path: string, name: string) =>
  path.slice(0, path.lastIndexOf("/") + 1) + name;

/** What is to be done for a path. */
class Place {
  /** The address of the fresh name; undefined where there can be none. */
  readonly fresh: HostAddress | undefined;
  readonly #files: Files;
  readonly #path: string;
  readonly #from: string;

  constructor(path: string, files: Files) {
    this.#files = files;
    this.#path = path.startsWith("/") ? path : files.absolute(path);
    // At random: the threads of a process share its number, and containers have the same ones.
    // With a letter first: node:net takes ".5" for a port.
    const name = `.z${Math.random().toString(36).slice(2, 10)}`;
    this.#from = beside(this.#path, name);
    const fresh = beside(path, name);
    const isShort = byteLength(fresh) <= Math.max(MOST_BYTES, byteLength(path));
    const isFree = files.permits(this.#path) && files.permits(this.#from);
    // Who listens at the path itself would remove what is moved there.
    if (isShort && isFree && !direct.has(this.#path)) {
      this.fresh = { kind: "ipc", path: fresh };
    }
  }

  /** Takes what listens at the path, or at the fresh name: that is moved to the path. */
  put(listener: Listener, isFresh: boolean): Listener {
    const files = this.#files, path = this.#path;
    try {
      const id = files.find(isFresh ? this.#from : path)?.id;
      if (isFresh) files.rename(this.#from, path);
      const made = new FileListener(listener, files, path, id);
      if (!isFresh) direct.set(path, made);
      return made;
    } catch (error) {
      listener.close();
      throw error;
    }
  }

  /**
   * Makes room at the path, to listen there itself. A listener of ours that is there must be
   * closed first: libzmq may be late with that, and with it the runtime removes what is there then.
   */
  vacate(): void {
    const files = this.#files, path = this.#path;
    const found = files.find(path);
    try {
      if (found && !found.isDirectory) files.unlink(path);
    } catch (error) {
      // As in libzmq, to bind will tell; who listens there goes on.
      if (error instanceof HostError) return;
      throw error;
    }
    if (!found?.isDirectory) direct.get(path)?.close();
  }
}

/** Undefined `files` are for a system where what is at a path of ipc is no file. */
const placeFor = (address: HostAddress, files: Files | undefined) =>
  address.kind === "ipc" && address.path[0] !== "\0" && files &&
  new Place(address.path, files);

/** Whatever is wrong with the fresh name, the path itself may do; if not, that tells why. */
function ifHostError(error: unknown): void {
  if (!(error instanceof HostError)) throw error;
}

/** Listens at `address`, by a function that listens at what it is given. */
export async function listenAt(
  address: HostAddress,
  files: Files | undefined,
  listen: (at: HostAddress) => Promise<Listener>,
): Promise<Listener> {
  const place = placeFor(address, files);
  if (!place) return listen(address);
  try {
    if (place.fresh) return place.put(await listen(place.fresh), true);
  } catch (error) {
    ifHostError(error);
  }
  place.vacate();
  return place.put(await listen(address), false);
}

/** The same at once. */
export function listenAtSync(
  address: HostAddress,
  files: Files | undefined,
  listen: (at: HostAddress) => Listener,
): Listener {
  const place = placeFor(address, files);
  if (!place) return listen(address);
  try {
    if (place.fresh) return place.put(listen(place.fresh), true);
  } catch (error) {
    ifHostError(error);
  }
  place.vacate();
  return place.put(listen(address), false);
}
