/** Connections through a SOCKS5 proxy. */
import { Buffer } from "node:buffer";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Reply, Request } from "zeromq-wasm";
import {
  bound,
  checkError,
  closeAll,
  next,
  stays,
  thrown,
  until,
  use,
  within,
} from "../socket/tools.ts";
import { checkLeaks } from "../support/leaks.ts";
import { Proxy } from "./server.ts";

const test = suite("socks");
checkLeaks(test, closeAll);
test.after.each(closeAll);

/** Sockets that try again soon, and leave nothing to be sent. */
const OPTIONS = { reconnectInterval: 10, linger: 0 };

async function replying(options: object = {}): Promise<[Reply, number]> {
  const reply = use(new Reply(options));
  const address = await bound(reply);
  return [reply, Number(address.split(":").at(-1))];
}

/** A question through the proxy, and its answer. */
async function ask(request: Request, reply: Reply): Promise<void> {
  await request.send("question");
  assert.equal(await next(reply), ["question"]);
  await reply.send("answer");
  assert.equal(await next(request), ["answer"]);
}

test("without a password", async () => {
  const [reply, port] = await replying();
  const proxy = await Proxy.start();
  const request = use(new Request({ ...OPTIONS, socksProxy: proxy.address }));
  assert.is(request.socksProxy, proxy.address);
  request.connect(`tcp://127.0.0.1:${port}`);
  await ask(request, reply);
  assert.equal(proxy.requests, [
    { methods: [0], command: 1, kind: 1, host: "127.0.0.1", port },
  ]);
});

test("with user and password", async () => {
  const [reply, port] = await replying();
  const login: [string, string] = ["u".repeat(255), "p".repeat(255)];
  const proxy = await Proxy.start({ login });
  const request = use(
    new Request({
      ...OPTIONS,
      socksProxy: proxy.address,
      socksUsername: login[0],
      socksPassword: login[1],
    }),
  );
  request.connect(`tcp://127.0.0.1:${port}`);
  await ask(request, reply);
  assert.equal(proxy.requests[0]!.methods, [2]);
  assert.equal(proxy.requests[0]!.login, login);
});

test("the proxy gets host names as names, and resolves them", async () => {
  const [reply, port] = await replying();
  const name = "only.the.proxy.knows.invalid";
  const proxy = await Proxy.start({ names: { [name]: port } });
  const request = use(new Request({ ...OPTIONS, socksProxy: proxy.address }));
  request.connect(`tcp://${name}:5555`);
  await ask(request, reply);
  const { kind, host, port: asked } = proxy.requests[0]!;
  assert.equal([kind, host, asked], [3, name, 5555]);
});

test("the proxy gets IPv6 addresses as addresses", async () => {
  const [reply, port] = await replying();
  const words = "20010db8000000000000000000000001";
  const proxy = await Proxy.start({ names: { [words]: port } });
  const request = use(
    new Request({ ...OPTIONS, ipv6: true, socksProxy: proxy.address }),
  );
  request.connect("tcp://[2001:db8::1]:5555");
  await ask(request, reply);
  const { kind, host, port: asked } = proxy.requests[0]!;
  assert.equal([kind, host, asked], [4, words, 5555]);
});

test("the proxy itself is a name", async () => {
  const [reply, port] = await replying();
  const proxy = await Proxy.start();
  const socksProxy = proxy.address.replace("127.0.0.1", "localhost");
  const request = use(new Request({ ...OPTIONS, socksProxy }));
  request.connect(`tcp://127.0.0.1:${port}`);
  await ask(request, reply);
  assert.is(proxy.requests.length, 1);
});

test("an answer of the proxy in single bytes", async () => {
  const [reply, port] = await replying();
  const login: [string, string] = ["user", "password"];
  const proxy = await Proxy.start({ login, slow: true });
  const request = use(
    new Request({
      ...OPTIONS,
      socksProxy: proxy.address,
      socksUsername: "user",
      socksPassword: "password",
    }),
  );
  request.connect(`tcp://127.0.0.1:${port}`);
  await ask(request, reply);
});

test("a proxy that tells a name as its address, the longest", async () => {
  const [reply, port] = await replying();
  const name = Buffer.concat([
    Buffer.of(5, 0, 0, 3, 255),
    Buffer.alloc(255, "n"),
    Buffer.of(0, 80),
  ]);
  const proxy = await Proxy.start({ answers: [undefined, name] });
  const request = use(new Request({ ...OPTIONS, socksProxy: proxy.address }));
  request.connect(`tcp://127.0.0.1:${port}`);
  await ask(request, reply);
});

test("CURVE goes through", async () => {
  const { curveKeyPair } = await import("zeromq-wasm");
  const server = curveKeyPair(), client = curveKeyPair();
  const [reply, port] = await replying({
    curveServer: true,
    curveSecretKey: server.secretKey,
  });
  const proxy = await Proxy.start();
  const request = use(
    new Request({
      ...OPTIONS,
      socksProxy: proxy.address,
      curveServerKey: server.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    }),
  );
  request.connect(`tcp://127.0.0.1:${port}`);
  await ask(request, reply);
});

test("a connection that was lost is made again through the proxy", async () => {
  const [reply, port] = await replying();
  const context = new Context();
  const proxy = await Proxy.start();
  const request = use(
    new Request({ ...OPTIONS, context, socksProxy: proxy.address }),
  );
  request.connect(`tcp://127.0.0.1:${port}`);
  await ask(request, reply);
  const address = reply.lastEndpoint!;
  reply.close();
  await proxy.clients(3);
  const again = use(new Reply());
  await until(() => again.bind(address).then(() => true, () => false), "bind");
  await ask(request, again);
});

test("only tcp goes through a proxy", async () => {
  const proxy = await Proxy.start();
  const reply = use(new Reply());
  const request = use(new Request({ ...OPTIONS, socksProxy: proxy.address }));
  request.connect(await bound(reply, "ipc"));
  await ask(request, reply);
  assert.is(proxy.requests.length, 0);
});

// --- what is wrong

/** Whatever this proxy answers, it is asked again, and nothing is sent to the peer. */
async function isRefused(
  setup: Parameters<typeof Proxy.start>[0],
  options: object = {},
): Promise<void> {
  const [reply, port] = await replying();
  const proxy = await Proxy.start(setup);
  const dealer = use(
    new Dealer({ ...OPTIONS, ...options, socksProxy: proxy.address }),
  );
  dealer.connect(`tcp://127.0.0.1:${port}`);
  await dealer.send(["", "question"]);
  await proxy.clients(4);
  assert.ok(await stays(reply.receive().catch(() => {}), 20));
}

test("the wrong password", () =>
  isRefused({ login: ["user", "right"] }, {
    socksUsername: "user",
    socksPassword: "wrong",
  }));

test("a proxy that wants a password, but there is none", () =>
  isRefused({ login: ["user", "password"] }));

for (
  const [what, answers] of [
    ["nothing at first", [null]],
    ["nothing to the request", [undefined, null]],
    ["that it takes no method", [Buffer.of(5, 255)]],
    ["a method nobody offered", [Buffer.of(5, 1)]],
    ["version 4", [Buffer.of(4, 0)]],
    ["version 4 to the request", [undefined, Buffer.of(4, 0, 0, 1, 0)]],
    ["that it has failed", [
      undefined,
      Buffer.of(5, 1, 0, 1, 0, 0, 0, 0, 0, 0),
    ]],
    [
      "a code that is none",
      [undefined, Buffer.of(5, 200, 0, 1, 0, 0, 0, 0, 0, 0)],
    ],
    [
      "a reserved byte",
      [undefined, Buffer.of(5, 0, 1, 1, 0, 0, 0, 0, 0, 0)],
    ],
    [
      "an address of no kind",
      [undefined, Buffer.of(5, 0, 0, 2, 0, 0, 0, 0, 0, 0)],
    ],
    ["HTTP", [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]],
  ] as const
) {
  test(`a proxy that answers ${what}`, () =>
    isRefused({ answers: [...answers] }));
}

test("a proxy that nobody runs", async () => {
  const proxy = await Proxy.start();
  const { address } = proxy;
  proxy.close();
  const dealer = use(new Dealer({ ...OPTIONS, socksProxy: address }));
  dealer.connect("tcp://127.0.0.1:5555");
  const events = use(dealer.events);
  for (let retries = 0; retries < 3;) {
    const { type } = await within(events.receive(), "an event");
    if (type === "connect:retry") retries++;
  }
});

test("proxies that are none are refused, or fail as a wrong one does", () => {
  const dealer = use(new Dealer(OPTIONS));
  for (const port of ["65536", "x", ""]) {
    const address = "tcp://127.0.0.1:5555";
    dealer.socksProxy = `127.0.0.1:${port}`;
    dealer.connect(address);
    dealer.disconnect(address);
  }
  dealer.socksProxy = null;
  assert.is(dealer.socksProxy, null);
});

test("a host name too long for SOCKS", () => {
  const context = new Context();
  const dealer = use(
    new Dealer({ ...OPTIONS, context, socksProxy: "127.0.0.1:1" }),
  );
  const address = `tcp://${"n".repeat(256)}:5555`;
  checkError(thrown(() => dealer.connect(address)), "EINVAL", { address });
});

test("user and password of more than 255 bytes", () => {
  const dealer = use(new Dealer(OPTIONS));
  for (const name of ["socksUsername", "socksPassword"] as const) {
    checkError(
      thrown(() => dealer[name] = "x".repeat(256)),
      "EINVAL",
    );
  }
});

test.run();
