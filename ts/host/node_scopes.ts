/**
 * Scopes of IPv6 addresses on Node: libuv looks them up as names of interfaces, while ZeroMQ's
 * addresses may have their numbers. On Windows they are numbers for both.
 */
import { builtin } from "./node_builtins.ts";

/** An IP literal or a name as libuv takes it. */
export function withNamedScope(host: string): string {
  const percent = host.indexOf("%");
  if (percent < 0 || process.platform === "win32") return host;
  const scope = Number(host.slice(percent + 1));
  const all = Object.entries(builtin("node:os").networkInterfaces());
  const found = all.find(([, entries]) =>
    entries?.some((it) => it.family === "IPv6" && it.scopeid === scope)
  );
  return found && scope > 0 ? host.slice(0, percent + 1) + found[0] : host;
}
