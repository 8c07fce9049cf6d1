/**
 * Sockets that nobody refers to any more are closed, as the native package does it:
 * their messages leave within `linger`. One that listens waits for what other sockets of the
 * program have to send, which may be for it.
 *
 * What waits to send or to receive refers to its socket (see Channel), so that only
 * sockets with nothing pending are collected.
 */
import type { Channel } from "./channel.ts";

const registry = new FinalizationRegistry<Channel>((channel) =>
  channel.core.collected(channel)
);

export function closeWhenCollected(socket: object, channel: Channel): void {
  channel.owner = new WeakRef(socket);
  registry.register(socket, channel);
}
