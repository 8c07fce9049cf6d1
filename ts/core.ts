/**
 * The program that node.ts starts: gives it the names. In an object of their own, as the one that
 * esbuild makes of a module has a function for each, and takes 10 KB.
 */
import type * as Api from "./api.ts";
import {
  capability,
  Context,
  context,
  curveKeyPair,
  curvePublicKey,
  Dealer,
  defaultHost,
  draft,
  HostError,
  Observer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Socket,
  Stream,
  Subscriber,
  version,
  XPublisher,
  XSubscriber,
  ZmqError,
} from "./api.ts";

/** What encloses the program, see build.sh, returns them. */
declare const program: { names: typeof Api };
program.names = Object.freeze({
  Context,
  Dealer,
  HostError,
  Observer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
  ZmqError,
  capability,
  context,
  curveKeyPair,
  curvePublicKey,
  defaultHost,
  draft,
  version,
});
