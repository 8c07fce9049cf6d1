/** What Node imports: the same as mod.ts, out of a script of its own. */
import { core } from "./host/node_core.ts";
import type * as Api from "./api.ts";

const api = core<typeof Api>();
export default api;
export const {
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
} = api;
