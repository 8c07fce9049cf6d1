/** A ZAP handler of ours (RFC 27): decides about clients of servers in one context. */
import {
  type Context,
  context as defaultContext,
  Reply,
  Router,
} from "zeromq-wasm";

/** What a server asks. */
export interface ZapRequest {
  domain: string;
  address: string;
  routingId: string;
  mechanism: string;
  credentials: Uint8Array[];
}

export type Decision = "200" | "300" | "400" | "500";

/** Answers until it is closed; keeps all that it was asked. */
export class ZapHandler {
  readonly asked: ZapRequest[] = [];
  readonly #socket: Router | Reply;

  private constructor(socket: Router | Reply) {
    this.#socket = socket;
  }

  /** `decide` says the status for a request; a `Type` of ROUTER sees its envelope. */
  static async start(
    decide: (request: ZapRequest) => Decision,
    { context = defaultContext, Type = Reply }: {
      context?: Context;
      Type?: typeof Router | typeof Reply;
    } = {},
  ): Promise<ZapHandler> {
    const handler = new ZapHandler(new Type({ context, linger: 0 }));
    await handler.#socket.bind("inproc://zeromq.zap.01");
    void handler.#serve(decide);
    return handler;
  }

  async #serve(decide: (request: ZapRequest) => Decision): Promise<void> {
    for await (const frames of this.#socket) {
      // Of a ROUTER: the routing id and the empty frame, which go back as they are.
      const envelope = this.#socket instanceof Router
        ? frames.splice(0, 2)
        : [];
      const [version, id, ...rest] = frames;
      const [domain, address, routingId, mechanism] = rest.map(String);
      const request = {
        domain: domain!,
        address: address!,
        routingId: routingId!,
        mechanism: mechanism!,
        credentials: rest.slice(4),
      };
      this.asked.push(request);
      const status = decide(request);
      const user = status === "200" ? "somebody" : "";
      await this.#socket.send(
        [...envelope, version!, id!, status, "because", user, ""],
      );
    }
  }

  close(): void {
    this.#socket.close();
  }
}
