/** What Node imports: the names of mod.ts, out of a script of its own. */
import { core } from "./host/node_core.ts";
import type * as Api from "./mod.ts";

const api = core<typeof Api>();
export default api.default;
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
