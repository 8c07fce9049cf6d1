/**
 * Where this package differs from the native one on purpose. The tests of this folder
 * assert both sides; the table in README.md is made of it, and a test compares.
 */
export interface Difference {
  /** What it is about. */
  readonly what: string;
  /** What the native package does. */
  readonly native: string;
  /** What this one does, and why. */
  readonly ours: string;
}

export const DIFFERENCES = {
  alias: {
    what: "changing a buffer after `send`",
    native: "changes what arrives, above 128 bytes",
    ours: "changes nothing: frames are copied",
  },
  views: {
    what: "sending a `SharedArrayBuffer` or a `DataView`",
    native: "the text `[object SharedArrayBuffer]`; throws",
    ours: "their bytes, as the types say",
  },
  mandatory: {
    what: "a mandatory Router without peers",
    native: "`send` waits",
    ours: "rejects with EHOSTUNREACH, as with peers",
  },
  turn: {
    what: "closing a Request or Reply that waits for its turn",
    native: "rejects with EFSM, `for await` throws",
    ours: "EAGAIN as everywhere, `for await` ends",
  },
  closedOption: {
    what: "options of a closed socket",
    native: "throw ENOTSOCK",
    ours: "throw EBADF, like all else; `context` stays",
  },
  port: {
    what: "a port above 65535",
    native: "is cut to 16 bits",
    ours: "is EINVAL",
  },
  range: {
    what: "an option's number that libzmq's type cannot hold, or NaN",
    native: "is cut to something else",
    ours: "is EINVAL, with the name and what it takes; NaN is a TypeError",
  },
  verbosity: {
    what: "a `verbosity` that does not exist",
    native: "is ignored",
    ours: "is a TypeError",
  },
  remembered: {
    what:
      "reading `conflate`, `mandatory` and others that libzmq only lets be set",
    native: "`undefined`, or throws EINVAL",
    ours: "the value, as the types say",
  },
  keys: {
    what: "reading `curvePublicKey`, `curveSecretKey`, `curveServerKey`",
    native: "throws EINVAL",
    ours: "the key",
  },
  context: {
    what: "options given to a constructor with a `context`",
    native: "lose it: the object is changed",
    ours: "stay as they are",
  },
  exports: {
    what: "replacing an export (`zmq.Push = …`), as some test tools do",
    native: "replaces it for all who `require` it",
    ours: "has no effect or throws: the exports are those of an ES module",
  },
  derived: {
    what:
      "methods of a derived class that are called as what we add: `counters`, " +
      "`metadata`, `receiveText`, `sendMany`…",
    native: "are its own",
    ours: "take the place of ours; to TypeScript their types must fit",
  },
  oneWay: {
    what: "`receive` of a Publisher, `send` of a Subscriber…",
    native: "exist at run time and wait for ever",
    ours: "do not exist",
  },
  unbindSync: {
    what: "`unbindSync`",
    native: "binds (EADDRINUSE)",
    ours: "unbinds",
  },
  observer: {
    what: "closing an observer that is being read",
    native: "rejects with ENOTSOCK, `for await` throws",
    ours: "EAGAIN as with sockets, `for await` ends",
  },
  why: {
    what: "the `close` event after a failed connection",
    native: "tells nothing more",
    ours: "has the `error` too",
  },
  on: {
    what: "what `events.on` returns",
    native: "an EventEmitter of its own",
    ours: "the observer, which is what the types say",
  },
  exit: {
    what: "sockets in handlers of `exit`",
    native: "are open, and send",
    ours:
      "are closed, their messages have left; handlers of `beforeExit` have them open",
  },
  warning: {
    what: "the warning when a process waits for queued messages",
    native: "`(node:1) WARNING: Waiting for queued ZeroMQ messages…`",
    ours: "`zeromq-wasm: waiting for queued ZeroMQ messages…`",
  },
  arguments: {
    what: "arguments too many",
    native: "are a TypeError",
    ours: "are ignored, as everywhere in JavaScript",
  },
  messages: {
    what: "the sentence of an error",
    native: "libzmq's",
    ours: "the same, or one that says more; `code` and `errno` are the same",
  },
} as const satisfies Readonly<Record<string, Difference>>;
