/** LAYER 1 on Node: Node's errors as `HostError`s. */
import type { HostError } from "./host.ts";
import { hostError } from "./messages.ts";

export function codeOf(cause: unknown): string {
  // An AggregateError of happy eyeballs carries the code of its first attempt itself.
  const { code, errors } = cause as { code?: unknown; errors?: unknown[] };
  if (typeof code !== "string") {
    return Array.isArray(errors) && errors.length > 0
      ? codeOf(errors[0])
      : "EINVAL";
  }
  if (code === "ERR_ACCESS_DENIED") return "EACCES";
  // Every other ERR_* is Node's refusal of an argument (port, path, local address).
  return code.startsWith("ERR_") ? "EINVAL" : code.replace(/^DNS_/, "");
}

export function toHostError(what: string, cause: unknown): HostError {
  return hostError(what, codeOf(cause), cause);
}
