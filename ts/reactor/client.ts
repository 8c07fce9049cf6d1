/** A socket as the reactor knows it: under its slot. */
export interface Client {
  /** libzmq signalled the socket: operations that would block may succeed now. */
  ready(): void;
  /** The instance is dead: nothing will ever succeed. */
  fail(error: Error): void;
}
