/** Everything that the package exports by name. */
import * as C from "zeromq-wasm:constants";
import { defaultHost as hostOfRuntime } from "zeromq-wasm:host";
import type { Host } from "./host/host.ts";
export { ZmqError } from "./errors.ts";
export { Context, context } from "./socket/context.ts";
export type {
  ContextOptions,
  ContextSetup,
  Resources,
} from "./socket/context.ts";
export type { Counters } from "./socket/counters.ts";
export { curveKeyPair, curvePublicKey } from "./socket/curve.ts";
export type { Message, MessageLike } from "./socket/message.ts";
export { Observer } from "./socket/observer.ts";
export type {
  Event,
  EventOfType,
  EventSubscriber,
  EventType,
  ProtocolErrorCode,
} from "./socket/observer.ts";
export { Proxy } from "./socket/proxy.ts";
export { Socket } from "./socket/socket.ts";
export {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "./socket/sockets.ts";
export type { SocketOptions } from "./socket/properties.ts";
export type {
  RouterConnectOptions,
  StreamConnectOptions,
} from "./socket/sockets.ts";
export type {
  Frames,
  Readable,
  Received,
  Receiver,
  Sender,
  Writable,
} from "./socket/roles.ts";
export type { Properties } from "./socket/inbox.ts";
export type { Wait } from "./socket/parking.ts";
export type {
  Connection,
  ConnectionEvents,
  DatagramAddress,
  DatagramOptions,
  Datagrams,
  DatagramSocket,
  Host,
  HostAddress,
  HostTimer,
  Listener,
  Threads,
  UdpAddress,
} from "./host/host.ts";
export { HostError } from "./host/host.ts";

/** The host of the runtime that runs the program, for those who wrap it in one of their own. */
export const defaultHost: () => Host = hostOfRuntime;

/** The draft socket types; `zeromq-wasm/draft` has them too, as the native package does. */
export * as draft from "./socket/draft.ts";

/** The version of libzmq inside. */
export const version: string = [
  Math.floor(C.version / 10000),
  Math.floor(C.version / 100) % 100,
  C.version % 100,
].join(".");

/** What libzmq was built with. */
export const capability: Partial<{
  ipc: boolean;
  pgm: boolean;
  tipc: boolean;
  norm: boolean;
  curve: boolean;
  gssapi: boolean;
  draft: boolean;
}> = {
  ipc: true,
  pgm: false,
  tipc: false,
  norm: false,
  curve: true,
  gssapi: false,
  draft: true,
};
