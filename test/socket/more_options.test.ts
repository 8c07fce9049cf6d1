/** The options of libzmq that the native package does not have, and what they do. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import {
  bound,
  checkError,
  closeAll,
  freePort,
  next,
  pause,
  thrown,
  until,
  use,
} from "./tools.ts";

const test = suite("more options");
test.after.each(closeAll);

test("batches are larger than libzmq's, as each write costs more", () => {
  const { inBatchSize, outBatchSize } = use(new zmq.Dealer());
  assert.equal([inBatchSize, outBatchSize], [16384, 65536]);
});

test("they are set and read", () => {
  const values: [new () => zmq.Socket, Record<string, unknown>][] = [
    [zmq.Dealer, {
      helloMessage: "hello",
      inBatchSize: 4096,
      metadata: "X-key:value",
      multicastLoop: false,
      outBatchSize: 4096,
      priority: 3,
      reconnectStop: 1,
      socksPassword: "secret",
      socksProxy: "127.0.0.1:1080",
      socksUsername: "user",
    }],
    [zmq.Router, { routerNotify: 3, disconnectMessage: "bye" }],
    [zmq.XPublisher, {
      manual: true,
      manualLastValue: true,
      onlyFirstSubscribe: true,
      verbosity: "allSubsUnsubs",
      welcomeMessage: "welcome",
    }],
    [zmq.XSubscriber, { onlyFirstSubscribe: true }],
  ];
  for (const [Type, options] of values) {
    const socket = use(new Type()) as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(options)) {
      socket[name] = value;
      assert.is(socket[name], value, name);
    }
  }
});

test("what they do not take says what they take", () => {
  const socket = use(new zmq.Router());
  for (
    const [name, value, takes] of [
      ["inBatchSize", 0, "16 or more"],
      ["inBatchSize", 15, "16 or more"],
      ["outBatchSize", 0, "1 or more"],
      ["metadata", "nonsense", "X-name:value"],
      ["routerNotify", 4, "the sum of 1 and 2"],
      ["reconnectStop", 4, "0 to 3"],
      ["priority", -1, "0 or more"],
      ["socksPassword", "secret".repeat(50), "1 to 255 bytes"],
    ] as const
  ) {
    const bag = socket as unknown as Record<string, unknown>;
    const error = thrown(() => bag[name] = value, name);
    checkError(error, "EINVAL");
    assert.ok(error.message.includes(`takes ${takes}`), error.message);
    if (name === "socksPassword") assert.not.match(error.message, /secret/);
  }
});

test("an option that breaks decoders is refused by its number, too", () => {
  class Mine extends zmq.Dealer {
    batch(bytes: number) {
      this.setInt32Option(101, bytes); // ZMQ_IN_BATCH_SIZE
    }
  }
  const socket = use(new Mine());
  checkError(thrown(() => socket.batch(15)), "EINVAL");
  socket.batch(16);
  assert.is(socket.inBatchSize, 16);
});

test("VMCI and GSSAPI are not in this build", () => {
  const socket = use(new zmq.Dealer());
  checkError(thrown(() => socket.vmciBufferSize), "EINVAL");
  assert.instance(thrown(() => socket.gssapiServer = true), TypeError);
});

test("routing ids may be any bytes", async () => {
  const id = new Uint8Array([1, 0, 255]);
  const router = use(new zmq.Router({ linger: 0, mandatory: true }));
  const dealer = use(new zmq.Dealer({ linger: 0, routingId: id }));
  assert.is(dealer.routingId!.slice(0, 2), "\x01\0");
  dealer.connect(await bound(router));
  await dealer.send("x");
  const [from] = await router.receive();
  assert.equal([...from!], [...id]);
  await router.send([id, "y"]);
  assert.equal(await next(dealer), ["y"]);
  checkError(thrown(() => dealer.routingId = new Uint8Array(256)), "EINVAL");
});

test("a Router can name a peer when it connects", async () => {
  for (const id of ["peer", new Uint8Array([2, 0, 254])]) {
    const dealer = use(new zmq.Dealer({ linger: 0 }));
    const router = use(new zmq.Router({ linger: 0, mandatory: true }));
    router.connect(await bound(dealer), { routingId: id });
    await router.send([id, "x"]);
    assert.equal(await next(dealer), ["x"]);
  }
});

test("routerNotify tells of peers", async () => {
  const router = use(new zmq.Router({ linger: 0, routerNotify: 3 }));
  const dealer = use(new zmq.Dealer({ linger: 0, routingId: "d" }));
  dealer.connect(await bound(router));
  assert.equal(await next(router), ["d", ""]);
  dealer.close();
  assert.equal(await next(router), ["d", ""]);
});

test("hello and disconnect messages", async () => {
  const router = use(
    new zmq.Router({
      linger: 0,
      helloMessage: "hello",
      disconnectMessage: new Uint8Array([98, 121, 101]),
    }),
  );
  const dealer = use(new zmq.Dealer({ linger: 0, routingId: "d" }));
  dealer.connect(await bound(router));
  assert.equal(await next(dealer), ["hello"]);
  dealer.close();
  assert.equal(await next(router), ["d", "bye"]);
});

test("a manual XPublisher decides who gets what", async () => {
  const publisher = use(new zmq.XPublisher({ linger: 0, manual: true }));
  const subscriber = use(new zmq.Subscriber());
  subscriber.subscribe("a");
  subscriber.connect(await bound(publisher));
  assert.equal(await next(publisher), ["\x01a"]);
  publisher.subscribe("b");
  await publisher.send("a no");
  await publisher.send("b yes");
  // The subscriber's own filter is its own.
  subscriber.subscribe("b");
  assert.equal(await next(publisher), ["\x01b"]);
  publisher.subscribe("c");
  await publisher.send("b again");
  assert.match((await next(subscriber))[0]!, /^b /);
});

test("metadata reaches the peer", async () => {
  const pull = use(new zmq.Pull());
  const push = use(new zmq.Push({ linger: 0, metadata: "X-colour:red" }));
  push.connect(await bound(pull));
  await push.send("x");
  const { properties } = await pull.receiveWithProperties();
  assert.is(properties["X-colour"], "red");
});

test("reconnectStop ends the attempts", async () => {
  const socket = use(
    new zmq.Dealer({ linger: 0, reconnectInterval: 1, reconnectStop: 1 }),
  );
  const types: string[] = [];
  void (async () => {
    for await (const { type } of socket.events) types.push(type);
  })();
  socket.connect(`tcp://127.0.0.1:${await freePort()}`);
  await until(() => types.includes("close"), "the refusal");
  await pause(50);
  assert.not.ok(types.includes("connect:retry"));
});

test("reconnectStop for refusals leaves what cannot be found", async () => {
  const inner = zmq.defaultHost();
  const host: zmq.Host = Object.create(inner, {
    connect: {
      value: (): zmq.Connection => ({
        local: undefined,
        remote: undefined,
        start: (events) =>
          void setTimeout(() =>
            events.closed(new zmq.HostError("ENOTFOUND", "no such name"))
          ),
        write: () => true,
        pause() {},
        resume() {},
        setNoDelay() {},
        setKeepAlive() {},
        close() {},
      }),
    },
  });
  const context = new zmq.Context({ host });
  const socket = use(
    new zmq.Dealer({
      context,
      linger: 0,
      reconnectInterval: 1,
      reconnectStop: 1,
    }),
  );
  let retried = 0;
  socket.events.on("connect:retry", () => retried++);
  socket.connect("tcp://service.test:5555");
  await until(() => retried >= 2, "attempts");
});

test.run();
