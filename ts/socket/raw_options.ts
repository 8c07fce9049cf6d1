/**
 * Options by libzmq's number, for subclasses, as the native package has them.
 */
import { GET_OPTION, SET_OPTION } from "./internals.ts";
import { isLive, type Option, type OptionKind } from "./options.ts";

/**
 * (man zmq_setsockopt, zmq_getsockopt) Each pair reads and writes options of one type of C:
 * `option` is the number in zmq.h. All throw a TypeError for an `option` or a value of the
 * wrong type, a ZmqError for what the type does not hold or libzmq refuses (EINVAL) and when
 * the socket is closed (EBADF). Fractions are cut off.
 *
 * ```js
 * class Mine extends Dealer {
 *   get type() { return this.getInt32Option(16); } // ZMQ_TYPE
 * }
 * ```
 */
export abstract class RawOptions {
  protected abstract [GET_OPTION](option: Option): unknown;
  protected abstract [SET_OPTION](
    name: string,
    option: Option,
    value: unknown,
  ): void;

  protected getBoolOption(option: number): boolean {
    return this.#get(option, "bool") as boolean;
  }
  protected setBoolOption(option: number, value: boolean): void {
    this.#set(option, "bool", value);
  }
  protected getInt32Option(option: number): number {
    return this.#get(option, "i32") as number;
  }
  protected setInt32Option(option: number, value: number): void {
    this.#set(option, "i32", value);
  }
  protected getUint32Option(option: number): number {
    return this.#get(option, "u32") as number;
  }
  protected setUint32Option(option: number, value: number): void {
    this.#set(option, "u32", value);
  }
  protected getInt64Option(option: number): number {
    return this.#get(option, "i64") as number;
  }
  protected setInt64Option(option: number, value: number): void {
    this.#set(option, "i64", value);
  }
  protected getUint64Option(option: number): number {
    return this.#get(option, "u64") as number;
  }
  protected setUint64Option(option: number, value: number): void {
    this.#set(option, "u64", value);
  }
  protected getStringOption(option: number): string | null {
    return this.#get(option, "text") as string | null;
  }
  protected setStringOption(
    option: number,
    value: string | Uint8Array | null,
  ): void {
    this.#set(option, "bytes", value);
  }

  #get(id: number, kind: OptionKind): unknown {
    return this[GET_OPTION](raw(id, kind));
  }

  #set(id: number, kind: OptionKind, value: unknown): void {
    this[SET_OPTION](`option ${id}`, raw(id, kind), value);
  }
}

function raw(id: number, kind: OptionKind): Option {
  if (typeof id !== "number") {
    throw new TypeError("Identifier must be a number");
  }
  return isLive(id) ? { id, kind, live: true } : { id, kind };
}
