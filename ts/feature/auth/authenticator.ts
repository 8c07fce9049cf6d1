/**
 * The ZAP handler of a context: says who may connect to its servers
 * (pyzmq's zmq.auth.Authenticator, CZMQ's zauth).
 */
import {
  type Context,
  context as defaultContext,
  type Router,
} from "zeromq-wasm";
import { AddressList } from "./addresses.ts";
import { CertificateFolder } from "./certificate_folder.ts";
import { openHandler } from "./handler.ts";
import {
  admission,
  type Check,
  type CurvePolicy,
  type CurveRequest,
  judgeCurve,
  judgePlain,
  type Passwords,
  type PlainPolicy,
  type PlainRequest,
  refusal,
} from "./policies.ts";
import { z85Decode } from "./z85.ts";
import {
  readRequest,
  type Received,
  type Status,
  writeReply,
  ZAP_ENDPOINT,
  type ZapReply,
  type ZapRequest,
} from "./zap.ts";

/** Before a test replaces them by some that wait to be told. */
const { setTimeout, clearTimeout } = globalThis;

/** For `location`: every client that knows the server's key may connect. */
export const CURVE_ALLOW_ANY = "*";
/** The domain whose rules hold for domains without rules of their own. */
const DEFAULT_DOMAIN = "*";

export interface AuthenticatorOptions {
  /** The context whose servers it protects; the default context otherwise. */
  context?: Context;
  /** Milliseconds that a check may take before the peer is told to come back later; 10000 unless given. */
  checkTimeout?: number;
  /** How many checks may run at once, 1000 unless given; beyond that peers are told to come back later. */
  maxPending?: number;
}

export type PlainOptions =
  & { domain?: string }
  & ({ passwords: Passwords } | { check: Check<PlainRequest> });

export type CurveOptions =
  & { domain?: string }
  & (
    /** A folder of public certificates, or CURVE_ALLOW_ANY. */
    | { location: string }
    /** Public keys, 40 characters of Z85 each; may be changed if it is a Set. */
    | { keys: Iterable<string> }
    | { check: Check<CurveRequest> }
  );

/** What was decided, for the log. There are no passwords in it. */
export interface Decision {
  readonly time: Date;
  readonly allowed: boolean;
  readonly status: Status;
  readonly reason: string;
  readonly mechanism: "NULL" | "PLAIN" | "CURVE" | undefined;
  readonly domain: string;
  readonly address: string;
  /** Who was let in; for PLAIN and CURVE also who was refused. */
  readonly userId: string;
}

interface Listeners {
  decision: Set<(decision: Decision) => void>;
  error: Set<(error: Error) => void>;
}

/**
 * Decides who may connect to the servers of a context: those with PLAIN or CURVE, and
 * those with a `zapDomain`. Until something is configured it lets in NULL only, as
 * pyzmq's does. Whatever goes wrong, the peer is refused.
 *
 * While it runs it keeps the process alive, like a server.
 *
 * @example
 * const authenticator = new Authenticator();
 * await authenticator.configureCurve({ location: "./clients" });
 * await authenticator.start();
 */
export class Authenticator {
  readonly #context: Context;
  readonly #checkTimeout: number;
  readonly #maxPending: number;
  readonly #allowed = new AddressList();
  readonly #denied = new AddressList();
  readonly #plain = new Map<string, PlainPolicy>();
  readonly #curve = new Map<string, CurvePolicy>();
  readonly #listeners: Listeners = { decision: new Set(), error: new Set() };
  readonly #pending = new Set<(reply: ZapReply) => void>();
  readonly #answers = new Set<Promise<void>>();
  #router: Router | undefined;
  #starting: Promise<Router> | undefined;
  #loop: Promise<void> = Promise.resolve();

  /** @throws RangeError for a negative number, or none */
  constructor(options: AuthenticatorOptions = {}) {
    const { checkTimeout = 10_000, maxPending = 1000 } = options;
    if (!(checkTimeout >= 0 && maxPending >= 0)) {
      throw new RangeError("checkTimeout and maxPending must be 0 or more");
    }
    this.#context = options.context ?? defaultContext;
    // Longer timers end at once.
    this.#checkTimeout = Math.min(checkTimeout, 2 ** 31 - 1);
    this.#maxPending = maxPending;
  }

  /** Whether it answers: from `start` to `stop`. */
  get running(): boolean {
    return this.#router !== undefined && !this.#router.closed;
  }

  /**
   * Only peers at these addresses or CIDR blocks may connect, if their credentials are
   * right too. Peers over ipc have no address: with a list of allowed addresses they are
   * refused. Those over inproc are trusted: it has no handshake, and nobody is asked.
   *
   * @throws TypeError for anything but IPv4 and IPv6 addresses and CIDR blocks
   */
  allow(...addresses: string[]): this {
    if (!this.#denied.empty) throw new Error(EITHER);
    this.#allowed.add(addresses);
    return this;
  }

  /** Peers at these addresses or CIDR blocks may not connect. Throws as `allow` does. */
  deny(...addresses: string[]): this {
    if (!this.#allowed.empty) throw new Error(EITHER);
    this.#denied.add(addresses);
    return this;
  }

  /**
   * Sets who may connect with PLAIN to servers with this `zapDomain`, or (without one)
   * to servers of all domains that have no rules of their own.
   */
  configurePlain(options: PlainOptions): this {
    const domain = domainOf(options);
    const { passwords, check } = options as Record<string, unknown>;
    if ((passwords === undefined) === (check === undefined)) {
      throw new TypeError("configurePlain takes passwords or a check");
    }
    if (check !== undefined && typeof check !== "function") {
      throw new TypeError("check must be a function");
    }
    if (check === undefined && Object(passwords) !== passwords) {
      throw new TypeError("passwords must be an object or a Map");
    }
    this.#plain.set(domain, options as PlainPolicy);
    return this;
  }

  /**
   * Sets who may connect with CURVE to servers with this `zapDomain`, or (without one)
   * to servers of all domains that have no rules of their own. A folder is read at
   * once, and again for each peer: a certificate counts as soon as its file is there
   * and no longer than that.
   *
   * Rejects with a CertificateError if the folder cannot be read; then nobody is let in.
   */
  async configureCurve(options: CurveOptions): Promise<void> {
    const domain = domainOf(options);
    const { location, keys, check } = options as {
      location?: string;
      keys?: Iterable<string>;
      check?: Check<CurveRequest>;
    };
    const given = [location, keys, check].filter((way) => way !== undefined);
    if (given.length !== 1) {
      throw new TypeError(
        "configureCurve takes one of location, keys and check",
      );
    }
    if (check !== undefined) {
      if (typeof check !== "function") {
        throw new TypeError("check must be a function");
      }
      this.#curve.set(domain, { check });
    } else if (keys !== undefined) {
      const set = keys instanceof Set ? keys : new Set(keys);
      for (const key of set) checkKey(key);
      this.#curve.set(domain, { keys: set });
    } else if (location === CURVE_ALLOW_ANY) {
      this.#curve.set(domain, { any: true });
    } else {
      const folder = new CertificateFolder(location!, this.#fault);
      this.#curve.set(domain, { folder });
      await folder.load();
    }
  }

  /**
   * Starts to answer. Do this before servers bind.
   *
   * @throws Error if it runs already; ZmqError EADDRINUSE if the context has another
   * handler
   */
  async start(): Promise<void> {
    if (this.running || this.#starting) {
      throw new Error("The authenticator is running already");
    }
    try {
      this.#router = await (this.#starting = openHandler(this.#context));
    } finally {
      this.#starting = undefined;
    }
    this.#loop = this.#run(this.#router);
  }

  /**
   * Stops to answer. Peers that wait are told to come back later; from now on, servers
   * of the context that need an authenticator let nobody in.
   */
  async stop(): Promise<void> {
    // Who started it hears of an error.
    await this.#starting?.catch(() => {});
    const router = this.#router;
    this.#router = undefined;
    for (const settle of [...this.#pending]) {
      settle(refusal("The authenticator was stopped", 300));
    }
    await Promise.all(this.#answers);
    if (router && !router.closed) {
      // Closing alone gives the endpoint free a moment later.
      await router.unbind(ZAP_ENDPOINT);
      router.close();
    }
    await this.#loop;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Calls `listener` for each decision, or for each fault: a check that throws, a bad file. */
  on(type: "decision", listener: (decision: Decision) => void): this;
  on(type: "error", listener: (error: Error) => void): this;
  on(type: keyof Listeners, listener: (value: never) => void): this {
    (this.#listeners[type] as Set<(value: never) => void>).add(listener);
    return this;
  }

  /** Takes back what `on` did. */
  off(type: "decision", listener: (decision: Decision) => void): this;
  off(type: "error", listener: (error: Error) => void): this;
  off(type: keyof Listeners, listener: (value: never) => void): this {
    (this.#listeners[type] as Set<(value: never) => void>).delete(listener);
    return this;
  }

  async #run(router: Router): Promise<void> {
    try {
      for await (const frames of router) {
        const answer = this.#answer(router, readRequest(frames))
          .catch(this.#fault)
          .finally(() => this.#answers.delete(answer));
        this.#answers.add(answer);
      }
    } catch (error) {
      this.#fault(error as Error);
    }
  }

  /** Answers one request, always: no answer would leave the peer waiting. */
  async #answer(
    router: Router,
    { envelope, request }: Received,
  ): Promise<void> {
    let reply: ZapReply;
    if (typeof request === "string") {
      reply = refusal(request);
    } else if (this.#pending.size >= this.#maxPending) {
      reply = refusal("Too many checks at once", 300);
    } else {
      reply = await this.#inTime(this.#decide(request));
    }
    let frames: (string | Uint8Array)[] = [];
    try {
      if (envelope) frames = writeReply(envelope, reply);
    } catch (error) {
      this.#fault(error as Error);
      reply = refusal("Internal error", 500);
      frames = writeReply(envelope!, reply);
    }
    if (envelope && !router.closed) await router.send(frames);
    const known = typeof request === "string" ? undefined : request;
    const decision: Decision = {
      time: new Date(),
      allowed: reply.status === 200,
      status: reply.status,
      reason: reply.reason,
      mechanism: known?.mechanism,
      domain: known?.domain ?? "",
      address: known?.address ?? "",
      userId: reply.userId || nameOf(known),
    };
    for (const listener of this.#listeners.decision) {
      try {
        listener(decision);
      } catch (error) {
        this.#fault(error as Error);
      }
    }
  }

  /** The decision, a temporary refusal if it takes too long, 500 if it fails. */
  #inTime(decision: Promise<ZapReply>): Promise<ZapReply> {
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.#fault(
          new Error(`a check took more than ${this.#checkTimeout} ms`),
        );
        settle(refusal("The check took too long", 300));
      }, this.#checkTimeout);
      const settle = (reply: ZapReply) => {
        clearTimeout(late);
        this.#pending.delete(settle);
        resolve(reply);
      };
      this.#pending.add(settle);
      decision.then(settle, (error) => {
        this.#fault(error as Error);
        settle(refusal("Internal error", 500));
      });
    });
  }

  async #decide(request: ZapRequest): Promise<ZapReply> {
    const { address, domain, mechanism } = request;
    if (!this.#allowed.empty && this.#allowed.has(address) !== true) {
      return refusal("Address not in whitelist");
    }
    if (!this.#denied.empty && address !== "") {
      // What is no address can be anybody's.
      if (this.#denied.has(address) !== false) {
        return refusal("Address is blacklisted");
      }
    }
    if (mechanism === "NULL") return admission("anonymous");
    if (mechanism === "PLAIN") {
      const policy = this.#plain.get(domain) ?? this.#plain.get(DEFAULT_DOMAIN);
      if (policy) return await judgePlain(policy, request);
      return refusal(
        this.#plain.size === 0 ? "No passwords defined" : "Invalid domain",
      );
    }
    const policy = this.#curve.get(domain) ?? this.#curve.get(DEFAULT_DOMAIN);
    return policy
      ? await judgeCurve(policy, request)
      : refusal("Unknown domain");
  }

  #fault = (error: Error): void => {
    for (const listener of this.#listeners.error) {
      try {
        listener(error);
      } catch (another) {
        // Nobody else can be told, and the authenticator has to go on.
        console.error(another);
      }
    }
  };
}

const EITHER = "Only use a whitelist or a blacklist, not both";

function domainOf({ domain = DEFAULT_DOMAIN }: { domain?: string }): string {
  if (typeof domain !== "string") throw new TypeError("domain must be text");
  return domain === "" ? DEFAULT_DOMAIN : domain;
}

function checkKey(key: unknown): void {
  try {
    if (z85Decode(key as string).length === 32) return;
  } catch {
    // Said below, without the key.
  }
  throw new TypeError("a public key has 40 characters of Z85");
}

function nameOf(request: ZapRequest | undefined): string {
  if (request?.mechanism === "PLAIN") return request.username;
  return request?.mechanism === "CURVE" ? request.publicKey : "";
}
