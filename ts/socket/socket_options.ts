/**
 * An option of one socket: libzmq has the value, the socket keeps what libzmq cannot be asked
 * for, and its channel has to know of some.
 */
import * as C from "zeromq-wasm:constants";
import { warn } from "../host/host.ts";
import type { Channel } from "./channel.ts";
import type { Internals } from "./internals.ts";
import { getOption, setOption } from "./option_access.ts";
import type { Option } from "./options.ts";

/** With these, what is done about one message decides about the next. */
const TAKES_ONE = [
  C.ZMQ_CONFLATE,
  C.ZMQ_XPUB_MANUAL,
  C.ZMQ_XPUB_MANUAL_LAST_VALUE,
];

export function readOption(inside: Internals, option: Option): unknown {
  const { channel: { core, pointer }, written } = inside;
  if (option.access !== "w") return getOption(core.reactor, pointer, option);
  return written.has(option.id) ? written.get(option.id) : option.initial;
}

/** Throws a TypeError or EINVAL with the value, and has done nothing then. */
export function writeOption(
  { channel, blocked, endpoints, written }: Internals,
  name: string,
  option: Option,
  value: unknown,
): void {
  const { reactor } = channel.core;
  setOption(reactor, channel, name, option, value);
  if (!option.live && (!endpoints.areNone || blocked !== undefined)) {
    warn(
      reactor.host,
      "Socket option will not take effect until next connect/bind.",
    );
  }
  if (option.kind === "u64" && Number(value) > Number.MAX_SAFE_INTEGER) {
    warn(
      reactor.host,
      "Value is larger than Number.MAX_SAFE_INTEGER and may have been rounded inaccurately.",
    );
  }
  if (option.access === "w") written.set(option.id, value);
  tell(channel, option, value);
}

/** What the channel itself has to know. */
function tell(channel: Channel, { id }: Option, value: unknown): void {
  if (id === C.ZMQ_SNDTIMEO) channel.sendTimeout = Math.trunc(value as number);
  else if (id === C.ZMQ_RCVTIMEO) {
    channel.receiveTimeout = Math.trunc(value as number);
  } else if (id === C.ZMQ_RCVHWM) channel.limitPrefetch(value as number);
  else if (id === C.ZMQ_UNSUBSCRIBE) channel.unsubscribed();
  else if (value === true && TAKES_ONE.includes(id)) channel.limitPrefetch(1);
  channel.changed();
}
