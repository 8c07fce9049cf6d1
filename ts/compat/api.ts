/** What zeromq-wasm/v5-compat exports. */
import * as zmq from "zeromq-wasm";
import { Socket, type SocketType } from "./socket.ts";

export * from "./constants.ts";
export { Socket } from "./socket.ts";
export type { SocketType } from "./socket.ts";
export { shortOptions as options } from "./options.ts";

export const version: string = zmq.version;

/** The default context. */
export class Context {
  constructor() {
    throw new Error("Context cannot be instantiated in compatibility mode");
  }
  static setMaxThreads(value: number): void {
    zmq.context.ioThreads = value;
  }
  static getMaxThreads(): number {
    return zmq.context.ioThreads;
  }
  static setMaxSockets(value: number): void {
    zmq.context.maxSockets = value;
  }
  static getMaxSockets(): number {
    return zmq.context.maxSockets;
  }
}

/** Makes a socket; `options` are properties of it, by their short names. */
export function createSocket(
  type: SocketType,
  options: { [name: string]: unknown } = {},
): Socket {
  return Object.assign(new Socket(type), options);
}
export { createSocket as socket };

/** (man zmq_curve_keypair) A new pair of keys for CURVE, 40 characters of Z85 each. */
export function curveKeypair(): { public: string; secret: string } {
  const { publicKey, secretKey } = zmq.curveKeyPair();
  return { public: publicKey, secret: secretKey };
}

/** Pairs of types that `proxy` joins, and the frames in front that `capture` does not get. */
const JOINED: Readonly<Record<string, number>> = {
  "push/pull": 0,
  "pull/push": 0,
  "xpub/xsub": 0,
  "router/dealer": 2,
  "xrep/xreq": 2,
};

/** Sends on what either socket receives by the other; `capture` gets what the back end says. */
export function proxy(
  frontend: Socket,
  backend: Socket,
  capture?: Socket,
): void {
  const skipped = JOINED[`${frontend.type}/${backend.type}`];
  if (skipped === undefined) {
    throw new Error(
      "This socket type order is not supported in compatibility mode",
    );
  }
  frontend.on("message", (...frames) => void backend.send(frames));
  backend.on("message", (...frames) => {
    frontend.send(frames);
    capture?.send(frames.slice(skipped));
  });
}
