/**
 * Which way messages go: what sockets that send, and those that receive, can do.
 */
import type { ZmqError } from "../errors.ts";
import { decoder } from "../host/text.ts";
import { sendMany } from "./batch.ts";
import type { Channel } from "./channel.ts";
import type { SendOptions } from "./sender.ts";
import type { Properties } from "./inbox.ts";
import { ENTER, internalsOf } from "./internals.ts";
import { END, type Message, type MessageLike, type Step } from "./message.ts";
import * as options from "./options.ts";
import type { Wait } from "./parking.ts";
import {
  addProperties,
  asProperties,
  type Property,
  setName,
} from "./define_options.ts";
import { Socket } from "./socket.ts";

/** One message: a frame, or an array of frames. */
export type Frames = MessageLike | MessageLike[];

/** A received message with what libzmq knows of the connection it came by. */
export interface Received {
  readonly frames: Message[];
  /**
   * `Peer-Address`, `Socket-Type`, `User-Id` and others; over inproc none, or from another
   * thread the `Socket-Type`.
   */
  readonly properties: Properties;
}

/** A socket that sends. */
export interface Writable<
  M extends MessageLike | MessageLike[] = Frames,
  O extends [...object[]] = [],
> {
  /** Bytes of the system's buffer; without effect, see docs/runtimes.md. */
  sendBufferSize: number;
  /** Messages that may wait for each peer, 0 or more; 1000 at first, 0 for no limit. */
  sendHighWaterMark: number;
  /** Milliseconds to wait for room; -1 (at first) for ever, 0 not at all. */
  sendTimeout: number;
  /** Networks a multicast message may cross, 1 or more; 1 at first. */
  multicastHops: number;
  /**
   * Queues one message of one or more frames, all or none of them. Resolves when
   * it is queued; rejects with EAGAIN after `sendTimeout`, with EFSM, EHOSTUNREACH,
   * ENOMEM, or the reason of `signal`; throws EBADF when closed, EBUSY while another
   * send waits, a TypeError for `undefined` and symbols. Frames are copied: their memory
   * may be changed as soon as `send` has returned.
   */
  send(
    message: M,
    ...options: O extends [infer First] ? [First & Wait] : [Wait?]
  ): Promise<void>;
}

/** More for sockets that send any frames. */
export interface Sender<M extends MessageLike | MessageLike[] = Frames>
  extends Writable<M> {
  /**
   * Sends messages one after the other, each like `send`; resolves when the last is
   * queued. Rejects with the error of the first that cannot be sent: those before it
   * were. Buffers of an array must not be changed until it is settled.
   */
  sendMany(
    messages: Iterable<M> | AsyncIterable<M>,
    options?: Wait,
  ): Promise<void>;
  /** Sends a value as a message of one frame of JSON. Throws a TypeError if it has none. */
  sendJSON(value: unknown, options?: Wait): Promise<void>;
  /** A stream that sends what is written to it, with back-pressure. */
  writableStream(): WritableStream<M>;
}

/** A socket that receives. */
export interface Readable<M extends object[] = Message[]> {
  /** Bytes of the system's buffer; without effect, see docs/runtimes.md. */
  receiveBufferSize: number;
  /** Messages that may wait from each peer, 0 or more; 1000 at first, 0 for no limit. */
  receiveHighWaterMark: number;
  /** Milliseconds to wait for a message; -1 (at first) for ever, 0 not at all. */
  receiveTimeout: number;
  /**
   * Takes the next message, one buffer per frame. Rejects with EAGAIN after
   * `receiveTimeout` or when the socket is closed meanwhile, or with the reason of
   * `signal`; throws EBADF when it was closed before, EBUSY while another receive
   * waits.
   */
  receive(options?: Wait): Promise<M>;
  /** Messages until the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Taken<this>, undefined>;
}

/** What `receive` of a socket gives, also that of a class which narrows it. */
type Taken<S> = S extends { receive(): Promise<infer M> } ? M : never;

/** More for sockets that receive plain frames. */
export interface Receiver<M extends Message[] = Message[]> extends Readable<M> {
  /**
   * The messages that are there, at most `max` (1000 unless given); waits for the first.
   * Throws a RangeError for less than 1, and what `receive` throws.
   */
  receiveMany(options?: Wait & { max?: number }): Promise<M[]>;
  /** The next message, its frames as text. */
  receiveText(options?: Wait): Promise<string[]>;
  /** The last frame of the next message, which is JSON. Rejects with a SyntaxError if not. */
  receiveJSON(options?: Wait): Promise<unknown>;
  /** The next message and the properties of its connection (man zmq_msg_gets). */
  receiveWithProperties(options?: Wait): Promise<Received>;
  /** A stream of the messages that are received, until the socket is closed. */
  readableStream(): ReadableStream<M>;
}

/** One step over what `receive` of a class of the user's gives. */
async function stepOf(socket: Receiver, channel: Channel): Promise<Step> {
  try {
    return { value: await socket.receive(), done: false };
  } catch (error) {
    if (channel.closed && (error as ZmqError).code === "EAGAIN") return END;
    throw error;
  }
}

interface Access {
  [ENTER](): Channel;
  readonly closed: boolean;
}

const RESOLVED: Promise<void> = Promise.resolve();
const MOST = 1000;

const sending = {
  send(this: Access, message: Frames, options?: SendOptions): Promise<void> {
    const channel = this[ENTER]();
    if (message === undefined) throw new TypeError("Message must be present");
    if (!Array.isArray(message)) return channel.sender.send([message], options);
    if (message.length > 0) return channel.sender.send(message, options);
    if (channel.sender.waits) throw channel.busy("writing", "send");
    return RESOLVED;
  },

  sendMany(
    this: Access & Writable,
    messages: Iterable<Frames> | AsyncIterable<Frames>,
    options?: Wait,
  ): Promise<void> {
    return sendMany(this, messages, options);
  },

  sendJSON(this: Writable, value: unknown, options?: Wait): Promise<void> {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) {
      throw new TypeError(`JSON has no form for ${String(value)}`);
    }
    return this.send(text, options);
  },

  writableStream(this: Writable): WritableStream<Frames> {
    return new WritableStream({
      write: (message, { signal }) => this.send(message, { signal }),
    });
  },
};

const receiving = {
  receive(this: Access, options?: Wait): Promise<Message[]> {
    return this[ENTER]().receive(options, this);
  },

  [Symbol.asyncIterator](
    this: Access & Receiver,
  ): AsyncIterator<Message[], undefined> {
    const { channel } = internalsOf(this);
    // A class that receives something else iterates over that.
    const isOurs = this.receive === receiving.receive;
    return {
      next: () => {
        if (channel.closed) return Promise.resolve(END);
        if (!isOurs) return stepOf(this, channel);
        try {
          this[ENTER]();
          const value = channel.poll();
          return value
            ? Promise.resolve({ value, done: false })
            : channel.step(undefined, this);
        } catch (error) {
          return Promise.reject(error);
        }
      },
    };
  },

  receiveMany(
    this: Access,
    { max = MOST, ...wait }: Wait & { max?: number } = {},
  ): Promise<Message[][]> {
    if (!(max >= 1)) {
      throw new RangeError(`max must be 1 or more messages: ${max}`);
    }
    return this[ENTER]().receiveMany(Math.floor(max), wait);
  },

  async receiveText(this: Receiver, options?: Wait): Promise<string[]> {
    return (await this.receive(options)).map((frame) => decoder.decode(frame));
  },

  async receiveJSON(this: Receiver, options?: Wait): Promise<unknown> {
    return JSON.parse((await this.receiveText(options)).at(-1)!);
  },

  receiveWithProperties(this: Access, options?: Wait): Promise<Received> {
    return this[ENTER]().receiveDetailed(options);
  },

  readableStream(this: Access & Receiver): ReadableStream<Message[]> {
    // Cancelled while it waits, it must not take a message that is another's.
    const cancelled = new AbortController();
    const { signal } = cancelled;
    return new ReadableStream({
      pull: async (controller) => {
        while (!signal.aborted) {
          if (this.closed) return controller.close();
          const channel = this[ENTER]();
          // Taken only when it is the stream's: who cancels before would lose it.
          const message = channel.poll();
          if (message) return controller.enqueue(message);
          const { reactor } = channel.core;
          if (reactor.mustYield) await reactor.yield();
          else await channel.arrival({ signal }, this);
        }
      },
      cancel: (reason) => cancelled.abort(reason),
    }, { highWaterMark: 0 });
  },
};

/** The methods as properties of a class's prototype. */
function methodsOf(
  methods: object,
  names = Reflect.ownKeys(methods),
): Property[] {
  return names.map((name) => ({
    name,
    value: (methods as Record<PropertyKey, unknown>)[name],
    writable: true,
    configurable: true,
  }));
}

/** "frames": with everything that makes sense for plain frames. */
const SENDS = {
  frames: methodsOf(sending),
  draft: methodsOf(sending, ["send"]),
  options: asProperties(options.SENDER),
};
const RECEIVES = {
  frames: methodsOf(receiving),
  draft: methodsOf(receiving, ["receive", Symbol.asyncIterator]),
  options: asProperties(options.RECEIVER),
};

/**
 * A class between Socket and those of the socket types, for each way that messages go: every
 * program waits for methods and options to be defined, so they are defined once.
 */
function classOf(
  name: string,
  sends?: "frames" | "draft",
  receives?: "frames" | "draft",
): typeof Socket {
  class RoleSocket extends Socket {}
  setName(RoleSocket, name);
  if (sends) {
    addProperties(RoleSocket, SENDS[sends]);
    addProperties(RoleSocket, SENDS.options);
  }
  if (receives) {
    addProperties(RoleSocket, RECEIVES[receives]);
    addProperties(RoleSocket, RECEIVES.options);
  }
  return RoleSocket;
}

type Class = typeof Socket;
export const SendingSocket: Class = classOf("SendingSocket", "frames");
export const ReceivingSocket: Class = classOf(
  "ReceivingSocket",
  undefined,
  "frames",
);
export const TwoWaySocket: Class = classOf("TwoWaySocket", "frames", "frames");
export const DraftSendingSocket: Class = classOf("DraftSendingSocket", "draft");
export const DraftReceivingSocket: Class = classOf(
  "DraftReceivingSocket",
  undefined,
  "draft",
);
export const DraftTwoWaySocket: Class = classOf(
  "DraftTwoWaySocket",
  "draft",
  "draft",
);
