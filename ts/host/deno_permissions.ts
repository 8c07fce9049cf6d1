/** LAYER 1 on Deno: what we are allowed to do. */
import { deno } from "./deno_globals.ts";
import type { PermissionDescriptor } from "./deno_types.ts";

/**
 * Whether connecting may be tried. Asks the user if Deno would: connecting itself would
 * ask in the background, or (without a terminal, or with --no-prompt) fail there for ever.
 */
export function granted(descriptor: PermissionDescriptor): boolean {
  const state = stateOf(descriptor);
  return state === "prompt"
    ? deno.permissions.requestSync(descriptor).state === "granted"
    : state !== "denied";
}

export function stateOf(descriptor: PermissionDescriptor): string {
  try {
    return deno.permissions.querySync(descriptor).state;
  } catch {
    return "unknown"; // a host that Deno cannot parse: connecting will tell
  }
}
