/** A program written for the native package; compiled with its declarations and with ours. */
import * as zmq from "zeromq";
import {
  Context,
  context,
  curveKeyPair,
  Dealer,
  type Event,
  type EventOfType,
  type EventSubscriber,
  type EventType,
  type Message,
  type MessageLike,
  type Observer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  type Readable,
  Reply,
  Request,
  Router,
  type RouterConnectOptions,
  Socket,
  type SocketOptions,
  Stream,
  type StreamConnectOptions,
  Subscriber,
  type Writable,
  XPublisher,
} from "zeromq";

export async function requestReply(): Promise<string> {
  const server = new Reply({ linger: 0, routingId: "server" });
  await server.bind("tcp://127.0.0.1:*");
  const client = new Request({ context, immediate: true, receiveTimeout: 5 });
  const where: string | null = server.lastEndpoint;
  client.connect(where!);
  await client.send(["a", Buffer.from("b"), null, 1, new ArrayBuffer(1)]);
  const [first, ...rest] = await server.receive();
  const frame: Buffer = first!;
  await server.send(rest);
  return frame.toString("utf8") + frame.readUInt8(0);
}

export async function iterate(sockets: Readable[]): Promise<Message[]> {
  const all: Message[] = [];
  for (const socket of sockets) {
    for await (const [message] of socket) all.push(message!);
  }
  return all;
}

export async function publish(to: Writable, what: MessageLike): Promise<void> {
  to.sendHighWaterMark = 5;
  await to.send(what);
  await to.send([what, what]);
}
void publish(new Publisher({ noDrop: true }), "x");
void publish(new Dealer(), Buffer.alloc(1));

export class Topics extends Subscriber {
  constructor(options?: SocketOptions<Subscriber>) {
    super(options);
    this.subscribe("a", Buffer.from("b"));
    this.unsubscribe();
  }
  get lingers(): number {
    return this.getInt32Option(17);
  }
}

/** What a program calls its own is its own. */
export class Named extends Dealer {
  enter(): string {
    return "mine";
  }
  getOption(name: "linger" | "sendTimeout"): number {
    return this[name];
  }
  setOption(name: "linger" | "sendTimeout", value: number): this {
    this[name] = value;
    return this;
  }
  override close(): void {
    this.enter();
    super.close();
  }
}
console.log(new Named().setOption("linger", 0).getOption("sendTimeout"));

export class Lines extends Reply {
  override async receive(): Promise<Message[]> {
    const [line] = await super.receive();
    return [Buffer.from(`${line}\n`)];
  }
}

/** A class of frames that are known. */
export class Pairs extends Pull {
  override receive(): Promise<[Message, Message]> {
    return super.receive() as Promise<[Message, Message]>;
  }
}
export async function each(pairs: Pairs): Promise<Message[]> {
  const all: Message[] = [];
  for await (const [key, value] of pairs) all.push(key, value);
  return all;
}

export class Service<S extends Socket = Router> {
  constructor(readonly socket: S, private options: SocketOptions<S>) {}
  get mine(): Context | undefined {
    return (this.options as { context?: Context }).context;
  }
}
new Service(new Router(), { mandatory: true, handover: true });

const connectOptions: RouterConnectOptions & StreamConnectOptions = {
  routingId: "x",
};
export async function raw(router: Router, stream: Stream): Promise<Buffer> {
  router.connect("tcp://127.0.0.1:1", connectOptions);
  stream.connect("tcp://127.0.0.1:1", connectOptions);
  const [id, data] = await stream.receive();
  await stream.send([id, "x"]);
  for await (const [from, bytes] of stream) await stream.send([from, bytes]);
  return Buffer.concat([id, data]);
}

export function watch(socket: Socket): EventSubscriber {
  const events: Observer = socket.events;
  const told = (event: EventOfType<"connect:retry">): number => event.interval;
  return events.on("connect:retry", told)
    .off("connect:retry", told)
    .on("bind:error", ({ address, error }) => {
      const { code, errno, message }: {
        code: string;
        errno: number;
        message: string;
      } = error;
      console.log(address, code, errno, message);
    })
    .on("handshake:error:auth", ({ error: { status } }) => {
      const known: 300 | 400 | 500 = status;
      console.log(known);
    });
}

export async function describe(socket: Socket): Promise<string[]> {
  const lines: string[] = [];
  for await (const event of socket.events) lines.push(one(event));
  return lines;
}

export function reason(event: Event): Error | undefined {
  if (!("error" in event)) return undefined;
  const error: Error = event.error;
  return error;
}

function one(event: Event): string {
  switch (event.type) {
    case "accept":
    case "bind":
    case "close":
      return event.address;
    case "connect:retry":
      return `${event.address} ${event.interval}`;
    case "handshake:error:protocol":
      return event.error.code === "ERR_ZAP_BAD_VERSION" ? "version" : "other";
    case "end":
    case "unknown":
      return event.type satisfies EventType;
    default:
      return event.address;
  }
}

export async function proxy(): Promise<void> {
  const proxy: Proxy<Router, Dealer> = new Proxy(new Router(), new Dealer());
  proxy.frontEnd.mandatory = true;
  setTimeout(() => proxy.terminate(), 1);
  await proxy.run();
}

const mine = new Context({ blocky: false, ioThreads: 2, threadPriority: 1 });
const pair = new Pair({ context: mine });
const { publicKey, secretKey }: { publicKey: string; secretKey: string } =
  curveKeyPair();
pair.curveServer = zmq.capability.curve ?? false;
pair.curvePublicKey = publicKey;
pair.curveSecretKey = secretKey;
const mechanism: null | "plain" | "curve" | "gssapi" = pair.securityMechanism;
const verbose = new XPublisher({ verbosity: "allSubs" });
verbose.verbosity = null;
verbose.welcomeMessage = "hello";
console.log(zmq.version.split("."), mechanism, mine.maxSocketsLimit);

export function broken(): void {
  // @ts-expect-error a Publisher does not receive
  void new Publisher().receive();
  // @ts-expect-error a Subscriber does not send
  void new Subscriber().send("x");
  // @ts-expect-error no such option
  new Dealer({ nonsense: 1 });
  // @ts-expect-error a number
  new Dealer({ linger: "1" });
  // @ts-expect-error read only
  pair.lastEndpoint = "x";
  // @ts-expect-error not a message
  void pair.send({});
  // @ts-expect-error no such event
  pair.events.on("nonsense", () => {});
  // @ts-expect-error a Stream needs an id
  void new Stream().send("x");
  // @ts-expect-error protected
  pair.getInt32Option(1);
  // @ts-expect-error abstract
  new Socket(5);
}
