/** The host of the bundle for Deno. */
import type { Host } from "./host.ts";
import { denoHost } from "./deno.ts";

let host: Host | undefined;

export function defaultHost(): Host {
  return host ??= denoHost();
}
