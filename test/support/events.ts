/** What sockets tell, for tests that must not load the package too early. */
import type { EventOfType, EventType, Socket } from "zeromq-wasm";
import { within } from "./deadline.ts";

/** The next event of one of these types; ask before what causes it. */
export function event<E extends EventType>(
  socket: Socket,
  ...types: E[]
): Promise<EventOfType<E>> {
  const came = new Promise<EventOfType<E>>((resolve) => {
    for (const type of types) {
      socket.events.on(type, (event) => resolve(event));
    }
  });
  return within(came, `the event ${types.join(" or ")}`);
}
