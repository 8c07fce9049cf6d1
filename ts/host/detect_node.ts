/** The host of the bundle for Node and Bun. */
import type { Host } from "./host.ts";
import { nodeHost } from "./node.ts";

export function defaultHost(): Host {
  return nodeHost;
}
