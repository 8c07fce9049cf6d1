/** The events of connections, under the names of version 5. */
import type { EventEmitter } from "node:events";
import * as process from "node:process";
import type * as zmq from "zeromq-wasm";

/** Version 6's names and version 5's; the others are not told. */
const NAMES: Partial<Record<zmq.EventType, string>> = {
  "accept": "accept",
  "accept:error": "accept_error",
  "bind": "listen",
  "bind:error": "bind_error",
  "close": "close",
  "close:error": "close_error",
  "connect": "connect",
  "connect:delay": "connect_delay",
  "connect:retry": "connect_retry",
  "disconnect": "disconnect",
};

/** Emits the events of `socket` as (value, address, error). */
export function monitor(
  emitter: EventEmitter,
  socket: zmq.Socket,
  events: zmq.Observer,
  hasArguments: boolean,
): void {
  if (hasArguments) {
    process.emitWarning(
      "Arguments to monitor() are ignored in compatibility mode; " +
        "all events are read automatically",
    );
  }
  void tell(emitter, socket, events);
}

async function tell(
  emitter: EventEmitter,
  socket: zmq.Socket,
  events: zmq.Observer,
): Promise<void> {
  while (!events.closed) {
    let event: zmq.Event;
    try {
      event = await events.receive();
    } catch (error) {
      if (!socket.closed && !events.closed) emitter.emit("error", error);
      return;
    }
    if (event.type === "end") return;
    const name = NAMES[event.type];
    if (name === undefined) continue;
    const { address, error, interval } = event as {
      address?: string;
      error?: zmq.ZmqError;
      interval?: number;
    };
    const failure = name.endsWith("_error") ? error : undefined;
    emitter.emit(name, failure ? failure.errno : interval, address, failure);
  }
}
