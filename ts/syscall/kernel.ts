/** The side of an fd that the module sees: what happens to it is told to a `Kernel`. */

/** Who is told what happened to an fd, in a turn of the event loop of its own. */
export interface Kernel {
  /**
   * `size` bytes arrived, to be fetched by `read`. Returns whether that is put off, together
   * with those of others; if not, what is still unread has no room in the module.
   */
  input(fd: number, size: number): boolean;
  connected(
    fd: number,
    local: SocketName | undefined,
    remote: SocketName | undefined,
  ): void;
  worked(bytes: number): void; // which counts as the program's work does
  /** What was to be written is gone; that took so many milliseconds, if it is known. */
  writable(fd: number, took?: number): void;
  eof(fd: number): void;
  failed(fd: number, errno: number): void;
  /** Returns the new fd, or a negative errno. */
  incoming(
    listener: number,
    local: SocketName | undefined,
    remote: SocketName | undefined,
  ): number;
}

export type SocketName = { host: string; port: number };
