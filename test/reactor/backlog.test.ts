/** Who sends large messages waits for connections that take them, as long as these take. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Host } from "../../ts/host/host.ts";
import type { Instance } from "../../ts/native/instance.ts";
import { Backlog } from "../../ts/reactor/backlog.ts";
import { Holds } from "../../ts/syscall/holds.ts";

const test = suite("backlog");

/** Timers that the test lets run out, and a number of bytes that are queued. */
function setup() {
  const at = {
    queued: 0,
    timers: [] as { run: () => void; ms: number }[],
    held: 0,
    holds: new Holds(),
  };
  const host = {
    setTimer(run: () => void, ms: number) {
      const timer = { run, ms };
      at.timers.push(timer);
      const cancel = () => {
        at.timers = at.timers.filter((other) => other !== timer);
      };
      return { cancel };
    },
    keepAlive() {
      at.held++;
      return () => at.held--;
    },
  } as unknown as Host;
  const instance = {
    bodies: {
      get queued() {
        return at.queued;
      },
    },
    fds: { holds: at.holds },
  } as unknown as Instance;
  return { at, backlog: new Backlog(host, instance) };
}

const MUCH = 2 ** 20;

test("little is no backlog", () => {
  const { at, backlog } = setup();
  at.queued = 1000;
  at.holds.begin();
  assert.is(backlog.room(), undefined);
  assert.is(at.timers.length, 0);
});

test("who sends waits until a connection has written what it had", async () => {
  const { at, backlog } = setup();
  at.queued = MUCH;
  assert.is(backlog.room(), undefined); // it waits for connections, which none is
  at.holds.begin();
  const room = backlog.room();
  assert.is(backlog.room(), room);
  assert.is(at.held, 1);
  backlog.drained(1);
  await room;
  assert.equal([at.timers.length, at.held], [0, 0]);
});

test("but not for who takes nothing, until he does", async () => {
  const { at, backlog } = setup();
  at.queued = MUCH;
  const stopped = at.holds.begin();
  const room = backlog.room();
  const [timer] = at.timers;
  assert.is(timer!.ms, 5);
  timer!.run();
  await room;
  assert.equal([at.timers.length, at.held], [0, 0]);
  assert.is(backlog.room(), undefined);
  at.holds.end(stopped);
  backlog.drained(1);
  at.holds.begin();
  assert.ok(backlog.room());
});

test("nor when others write: only for these", async () => {
  const { at, backlog } = setup();
  at.queued = MUCH;
  at.holds.begin();
  void backlog.room();
  at.timers[0]!.run();
  for (let i = 0; i < 3; i++) {
    const other = at.holds.begin();
    const room = backlog.room();
    assert.ok(room);
    at.holds.end(other);
    backlog.drained(1);
    await room;
    assert.is(backlog.room(), undefined);
  }
  assert.is(at.timers.length, 0);
});

/** How long is waited for the next one. */
function patience({ at, backlog }: ReturnType<typeof setup>): number {
  at.queued = MUCH;
  at.holds.begin();
  void backlog.room();
  const [timer] = at.timers;
  timer!.run();
  return timer!.ms;
}

test("connections are waited for three times as long as they took", () => {
  const it = setup();
  it.backlog.drained(7);
  assert.is(patience(it), 21);
});

test("but not for who reads too slowly: he teaches no patience", () => {
  const it = setup();
  for (let i = 0; i < 10; i++) it.backlog.drained(20);
  assert.is(patience(it), 5);
});

test("fast ones in between shorten it little by little, down to 5 ms", () => {
  const mixed = setup();
  mixed.backlog.drained(10);
  mixed.backlog.drained(1);
  const after = patience(mixed);
  assert.ok(after < 30 && after > 25, `${after} ms`);
  for (let i = 0; i < 200; i++) mixed.backlog.drained(1);
  assert.is(patience(mixed), 5);
});

test("connections that close are waited for no more", async () => {
  const { at, backlog } = setup();
  at.queued = MUCH;
  const holds = [at.holds.begin(), at.holds.begin()];
  const room = backlog.room();
  let over = false;
  void room!.then(() => over = true);
  at.holds.end(holds[0]!);
  await Promise.resolve();
  assert.is(over, false);
  at.holds.end(holds[1]!);
  await room;
  assert.equal([at.timers.length, at.held], [0, 0]);
});

test.run();
