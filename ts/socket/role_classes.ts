/**
 * The classes between Socket and those of the socket types, one for each way that messages go:
 * every program waits for methods and options to be defined, so they are defined once.
 */
import { define, type Role } from "./roles.ts";
import { Socket } from "./socket.ts";

function classOf(role: Role): typeof Socket {
  class RoleSocket extends Socket {}
  define(RoleSocket, role);
  return RoleSocket;
}

export const SendingSocket: typeof Socket = classOf({ sends: "frames" });
export const ReceivingSocket: typeof Socket = classOf({ receives: "frames" });
export const TwoWaySocket: typeof Socket = classOf({
  sends: "frames",
  receives: "frames",
});

export const DraftSendingSocket: typeof Socket = classOf({ sends: "draft" });
export const DraftReceivingSocket: typeof Socket = classOf({
  receives: "draft",
});
export const DraftTwoWaySocket: typeof Socket = classOf({
  sends: "draft",
  receives: "draft",
});
