/** Many messages leave with few writes. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, Pull, Push, Reply, Request } from "zeromq-wasm";
import { bound, closeAll, next, use } from "../socket/tools.ts";

const test = suite("gather");
test.after.each(closeAll);

/** A context, and how often it has written. */
function counted() {
  const it = {
    writes: 0,
    context: new Context({
      trace: (line) => {
        // Writes of nothing only ask for room.
        if (/call +send\(.*= [1-9]/.test(line)) it.writes++;
      },
    }),
  };
  return it;
}

test("an await on every send does not cost a write for every few", async () => {
  const own = counted();
  const { context } = own;
  const pull = use(new Pull({ receiveHighWaterMark: 0 }));
  const push = use(new Push({ context, sendHighWaterMark: 0, linger: 0 }));
  push.connect(await bound(pull));
  await push.send("first");
  assert.equal(await next(pull), ["first"]);
  own.writes = 0;
  for (let i = 0; i < 20_000; i++) await push.send("sixteen bytes...");
  for (let i = 0; i < 20_000; i++) await pull.receive();
  assert.ok(
    own.writes >= 1 && own.writes <= 1000,
    `${own.writes} writes`,
  );
});

test("a request and its reply leave at once: nothing comes that could go with them", async () => {
  const client = counted(), server = counted();
  const rep = use(new Reply({ context: server.context }));
  const req = use(new Request({ context: client.context, linger: 0 }));
  req.connect(await bound(rep));
  for (let i = 0; i < 3; i++) {
    const arriving = rep.receive();
    // The first one waits for the connection.
    if (i > 0) client.writes = 0;
    const sent = req.send("request");
    if (i > 0) assert.is(client.writes, 1);
    await sent;
    assert.equal((await arriving).map(String), ["request"]);
    server.writes = 0;
    const replied = rep.send("reply");
    assert.is(server.writes, 1);
    await replied;
    assert.equal(await next(req), ["reply"]);
  }
});

test("replies to requests that came together leave together", async () => {
  const server = counted();
  const rep = use(new Reply({ context: server.context }));
  const dealer = use(new Dealer({ linger: 0 }));
  dealer.connect(await bound(rep));
  await dealer.send(["", "first"]);
  assert.equal(await next(rep), ["first"]);
  await rep.send("first");
  assert.equal(await next(dealer), ["", "first"]);
  server.writes = 0;
  for (let i = 0; i < 100; i++) await dealer.send(["", `${i}`]);
  for (let i = 0; i < 100; i++) await rep.send(await rep.receive());
  for (let i = 0; i < 100; i++) assert.equal(await next(dealer), ["", `${i}`]);
  assert.ok(
    server.writes >= 1 && server.writes <= 20,
    `${server.writes} writes`,
  );
});

test.run();
