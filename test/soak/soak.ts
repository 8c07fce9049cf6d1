/** Everything many times over, and what is left of it: memory, descriptors, timers. */
import { readdirSync } from "node:fs";
import process from "node:process";
import { Context, Dealer, Pair, Pull, Push, Router } from "zeromq-wasm";
import { until, within } from "../socket/tools.ts";

/** How often; the names are those of the report. */
export interface Amounts {
  /** Raw and honest connections, made and ended. */
  connections: number;
  /** Sockets opened and closed. */
  sockets: number;
  /** Messages over tcp. */
  messages: number;
}

export interface Figures {
  /** Bytes that libzmq has allocated, and the size of its memory. */
  heap: number;
  memory: number;
  /** Bytes of JavaScript, after garbage collection where the runtime lets us ask for it. */
  javascript: number;
  descriptors: number;
  timers: number;
}

const context = new Context();
const peers = new Context();

function descriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

/** Timers that the runtime knows of. */
function timers(): number {
  const { getActiveResourcesInfo } = process as unknown as {
    getActiveResourcesInfo?(): string[];
  };
  return getActiveResourcesInfo?.call(process).filter((name) =>
    name === "Timeout" || name === "Immediate"
  ).length ?? 0;
}

export async function figures(): Promise<Figures> {
  await until(() => {
    return [context, peers].every(({ resources }) =>
      resources.sockets + resources.connections + resources.listeners === 0
    );
  }, "all is released");
  const { gc } = globalThis as { gc?(): void };
  for (let i = 0; i < 3; i++) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    heap: context.resources.heap + peers.resources.heap,
    memory: context.resources.memory + peers.resources.memory,
    javascript: process.memoryUsage().heapUsed,
    descriptors: descriptors(),
    timers: timers(),
  };
}

/** Connections that come, say something, and go. */
export async function connections(times: number): Promise<void> {
  const router = new Router({ context, linger: 0 });
  await router.bind("tcp://127.0.0.1:*");
  const endpoint = router.lastEndpoint!;
  for (let done = 0; done < times; done += 20) {
    const dealers = Array.from({ length: 20 }, () => {
      const dealer = new Dealer({ context: peers, linger: 0 });
      dealer.connect(endpoint);
      return dealer;
    });
    await within(
      Promise.all(dealers.map((dealer) => dealer.send("hello"))),
      "sending",
    );
    for (const _ of dealers) {
      const [id, body] = await within(router.receive(), "hello");
      await router.send([id!, body!]);
    }
    await within(Promise.all(dealers.map((it) => it.receive())), "answers");
    for (const dealer of dealers) dealer.close();
  }
  router.close();
}

/** Sockets that are only there and gone, some of them bound or connected. */
export async function sockets(times: number): Promise<void> {
  const router = new Router({ context, linger: 0 });
  await router.bind("inproc://soak");
  for (let done = 0; done < times; done += 100) {
    for (let i = 0; i < 100; i++) {
      const pair = new Pair({ context, linger: 0 });
      if (i % 25 === 0) await pair.bind(`inproc://${i}`);
      if (i % 10 === 0) pair.connect("inproc://soak");
      pair.close();
    }
    await until(() => context.resources.sockets === 1, "closed");
  }
  router.close();
}

export async function messages(times: number): Promise<void> {
  const pull = new Pull({ context });
  const push = new Push({ context: peers, linger: 0 });
  await pull.bind("tcp://127.0.0.1:*");
  push.connect(pull.lastEndpoint!);
  const sizes = [0, 10, 40, 300, 9000];
  const sending = (async () => {
    for (let n = 0; n < times; n++) {
      await push.send(new Uint8Array(sizes[n % sizes.length]!));
    }
  })();
  for (let n = 0; n < times; n++) {
    const [body] = await pull.receive();
    if (body!.length !== sizes[n % sizes.length]) {
      throw new Error(`message ${n} has ${body!.length} bytes`);
    }
  }
  await sending;
  push.close();
  pull.close();
}

export async function round(amounts: Amounts): Promise<void> {
  await connections(amounts.connections);
  await sockets(amounts.sockets);
  await messages(amounts.messages);
}
