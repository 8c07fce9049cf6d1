/**
 * Many messages at once: the small ones among them cross into the module together.
 */
import type { Channel } from "./channel.ts";
import { ENTER } from "./internals.ts";
import { IN_PLACE, type MessageLike, toBytes } from "./message.ts";
import { isAborted, type Wait } from "./parking.ts";

type Frames = MessageLike | MessageLike[];

interface Sender {
  [ENTER](): Channel;
  send(message: Frames, options?: Wait): Promise<void>;
}

/** Messages after which libzmq gets to see them. */
const MOST = 256;

/** Sends messages one after the other. Rejects with the error of the first that cannot be sent. */
export async function sendMany(
  socket: Sender,
  messages: Iterable<Frames> | AsyncIterable<Frames>,
  options: Wait = {},
): Promise<void> {
  if (!(Symbol.iterator in Object(messages))) {
    for await (const message of messages) await socket.send(message, options);
    return;
  }
  // What a generator yields it may change when it goes on.
  const borrowed = Array.isArray(messages);
  const small: Uint8Array[] = [];
  try {
    for (const message of messages as Iterable<Frames>) {
      const bytes = smallFrame(message);
      if (bytes !== undefined) {
        small.push(borrowed ? bytes : new Uint8Array(bytes));
        if (small.length === MOST) await flush(socket, small, options);
      } else {
        await flush(socket, small, options);
        await socket.send(message, options);
      }
    }
  } catch (error) {
    // What came before the one that is no message, or before the iterator failed, can be sent.
    await flush(socket, small, options);
    throw error;
  }
  await flush(socket, small, options);
}

/** The bytes of a message that has one small frame. */
function smallFrame(message: Frames): Uint8Array | undefined {
  if (message === undefined || Array.isArray(message)) return undefined;
  const bytes = toBytes(message);
  return bytes.length <= IN_PLACE ? bytes : undefined;
}

/** Sends and forgets them. Rejects for the first that cannot be sent: then also for the others. */
async function flush(
  socket: Sender,
  small: Uint8Array[],
  options: Wait,
): Promise<void> {
  const frames = small.splice(0);
  for (let at = 0; at < frames.length;) {
    const channel = socket[ENTER]();
    if (isAborted(options.signal)) throw options.signal!.reason;
    const count = channel.sender.sendMany(frames, at);
    at += count;
    // The one that cannot be sent waits for room, or says why not.
    if (count === 0) await socket.send(frames[at++]!, options);
    else await channel.sender.takeTurns();
  }
}
