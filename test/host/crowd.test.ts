/** Each of many connections gets its turn, and what Deno opens for itself is closed. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Reply, Request, Router } from "zeromq-wasm";
import {
  bound,
  closeAll,
  isDeno,
  next,
  until,
  use,
  within,
} from "../socket/tools.ts";

const test = suite("crowd");
test.after.each(closeAll);

test("none of 400 clients that ask again and again is left behind", async () => {
  const server = use(
    new Router({
      linger: 0,
      sendHighWaterMark: 0,
      receiveHighWaterMark: 0,
    }),
  );
  const address = await bound(server);
  const context = new Context({ maxSockets: 500 });
  const clients = Array.from({ length: 400 }, () => {
    const client = use(new Dealer({ context, linger: 0 }));
    client.connect(address);
    return client;
  });
  const serving = (async () => {
    for await (const frames of server) await server.send(frames);
  })();
  const counts = clients.map(() => 0);
  const ask = async (_: unknown, index: number) => {
    await clients[index]!.send("x");
    await clients[index]!.receive();
    counts[index]!++;
  };
  await within(Promise.all(clients.map(ask)), "the first round");
  let over = false;
  const asking = Promise.all(clients.map(async (_, index) => {
    while (!over) await ask(_, index);
  }));
  // Rounds of all are what counts, however long they take. On a busy machine a stretch may
  // be unjust by chance; what starves somebody does so in each.
  const sum = () => counts.reduce((total, count) => total + count, 0);
  const shares: number[] = [];
  for (let stretch = 0; stretch < 6; stretch++) {
    counts.fill(0);
    await until(() => sum() >= 400 * 30, "thirty rounds on average");
    shares.push(Math.min(...counts) / (sum() / 400));
    if (shares.at(-1)! >= 1 / 6) break;
  }
  over = true;
  await within(asking, "the last answers");
  server.close();
  await serving;
  assert.ok(
    shares.at(-1)! >= 1 / 6,
    `of the average the last got, in six stretches: ${shares}`,
  );
});

test("what looks out for answers is closed with the last connection", async () => {
  if (!isDeno) return;
  const { Deno } = globalThis as unknown as {
    Deno: { readDirSync(path: string): Iterable<unknown> };
  };
  const { process: { platform } } = globalThis as unknown as {
    process: { platform: string };
  };
  if (platform !== "linux") return;
  const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const trips = async (most: number) => {
    const reply = use(new Reply({ linger: 0 }));
    const request = use(new Request({ linger: 0 }));
    request.connect(await bound(reply));
    for (let i = 0; i < most; i++) {
      await request.send("x");
      await next(reply);
      await reply.send("y");
      await next(request);
    }
    request.close();
    reply.close();
  };
  await trips(1);
  const before = open();
  await trips(2000);
  await until(() => open() <= before, "all descriptors closed");
});

test.run();
