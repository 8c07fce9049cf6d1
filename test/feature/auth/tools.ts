/** What the tests of the authenticator share. */
import type { suite } from "uvu";
import { Context, Dealer } from "zeromq-wasm";
import { Authenticator, type Decision, z85Decode } from "zeromq-wasm/auth";
import { within } from "../../support/deadline.ts";
export { event } from "../../support/events.ts";

/** Keeps what an authenticator decided and what went wrong. */
export class Log {
  readonly decisions: Decision[] = [];
  readonly errors: Error[] = [];
  #waiting: (() => void)[] = [];

  constructor(authenticator: Authenticator) {
    authenticator.on("decision", (decision) => {
      this.decisions.push(decision);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    authenticator.on("error", (error) => this.errors.push(error));
  }

  /** The next decision that has not been read. */
  async next(): Promise<Decision> {
    while (this.decisions.length === 0) {
      await within(
        new Promise<void>((resolve) => this.#waiting.push(resolve)),
        "a decision",
      );
    }
    return this.decisions.shift()!;
  }
}

/** Runs `use` with an authenticator in a context of its own, and stops it. */
export async function withAuthenticator(
  use: (all: {
    authenticator: Authenticator;
    context: Context;
    log: Log;
  }) => Promise<void>,
  options: { checkTimeout?: number; maxPending?: number } = {},
): Promise<void> {
  const context = new Context();
  const authenticator = new Authenticator({ context, ...options });
  const log = new Log(authenticator);
  await authenticator.start();
  try {
    await use({ authenticator, context, log });
  } finally {
    await authenticator.stop();
  }
}

/** Asks a handler as libzmq does: the frames after the envelope, and the answer's. */
export class ZapClient {
  readonly #socket: Dealer;

  constructor(context: Context) {
    this.#socket = new Dealer({ context, linger: 0 });
    this.#socket.connect("inproc://zeromq.zap.01");
  }

  async ask(...frames: (string | Uint8Array)[]): Promise<string[]> {
    await this.send(...frames);
    return this.answer();
  }

  send(...frames: (string | Uint8Array)[]): Promise<void> {
    return this.#socket.send(["", ...frames]);
  }

  /** All frames but the empty one, as latin1. */
  async answer(): Promise<string[]> {
    const [, ...frames] = await within(this.#socket.receive(), "an answer");
    return frames.map((frame) => new TextDecoder("latin1").decode(frame));
  }

  close(): void {
    this.#socket.close();
  }
}

/** Makes tests with an authenticator and a client of it. */
export function zapTests(test: ReturnType<typeof suite>) {
  return (
    name: string,
    use: (
      all:
        & { client: ZapClient }
        & Parameters<Parameters<typeof withAuthenticator>[0]>[0],
    ) => Promise<void>,
    options: Parameters<typeof withAuthenticator>[1] = {},
  ) =>
    test(name, () =>
      withAuthenticator(async (all) => {
        const client = new ZapClient(all.context);
        try {
          await use({ ...all, client });
        } finally {
          client.close();
        }
      }, options));
}

// Requests of ZAP, from the version on.

export const HEAD = ["1.0", "7"];
export const REFUSED = ["", ""];
export const head = (domain: string, address = "10.0.0.1") => [
  ...HEAD,
  domain,
  address,
  "server",
];
export const plain = (domain: string, user: string, password: string) => [
  ...head(domain),
  "PLAIN",
  user,
  password,
];
export const curve = (domain: string, key: string) => [
  ...head(domain),
  "CURVE",
  z85Decode(key),
];
