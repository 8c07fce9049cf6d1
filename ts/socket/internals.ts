/**
 * What a socket shows to the other classes of this folder, and to nobody else.
 */
import type { Channel } from "./channel.ts";
import type { Endpoints } from "./endpoints.ts";

/** Methods of sockets for this folder, under names that no class of a user has by accident. */
export const ENTER: unique symbol = Symbol("enter");
export const GET_OPTION: unique symbol = Symbol("getOption");
export const SET_OPTION: unique symbol = Symbol("setOption");

export interface Internals {
  readonly channel: Channel;
  /** Why every operation is refused at the moment, if it is. */
  blocked: string | undefined;
  readonly endpoints: Endpoints;
  /** Values of options that libzmq cannot be asked for. */
  readonly written: Map<number, unknown>;
}

const internals = new WeakMap<object, Internals>();

export function expose(socket: object, inside: Internals): void {
  internals.set(socket, inside);
}

export function internalsOf(socket: object): Internals {
  return internals.get(socket)!;
}
