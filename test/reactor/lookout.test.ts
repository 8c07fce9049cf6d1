/** When the event loop goes round instead of sleeping, with a clock of our own. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Host } from "../../ts/host/host.ts";
import { Lookout } from "../../ts/reactor/lookout.ts";

const test = suite("lookout");

/** A host whose time passes only as the test says. */
function clock({ glances = true } = {}) {
  let time = 1000;
  let tasks: (() => void)[] = [];
  /** Of each glance, whether the wait began with it. */
  const begun: boolean[] = [];
  const glance = (task: () => void, begins: boolean) => {
    begun.push(begins);
    return tasks.push(task) > 0;
  };
  const host = {
    now: () => time,
    ...(glances && { glance }),
  } as Partial<Host> as Host;
  const lookout = new Lookout(host);
  /** Lets `ms` pass in turns of 5 µs; returns how often the loop went round. */
  function pass(ms: number): number {
    let turns = 0;
    for (const end = time + ms; time < end; time += 0.005) {
      const due = tasks;
      tasks = [];
      if (due.length > 0) turns++;
      for (const task of due) task();
    }
    return turns;
  }
  /** A round trip whose answer takes `ms`; returns how often the loop went round. */
  function trip(ms: number): number {
    lookout.sent();
    lookout.waits();
    const turns = pass(ms);
    lookout.arrived();
    return turns + pass(0.02);
  }
  return { lookout, pass, trip, begun, pending: () => tasks.length };
}

test("answers that come at once are looked out for", () => {
  const { trip } = clock();
  assert.equal([1, 2, 3, 4].map(() => trip(0.1)), [0, 0, 0, 0]);
  for (let i = 0; i < 100; i++) assert.ok(trip(0.02) >= 4);
});

test("a wait begins with its first glance", () => {
  const { trip, begun } = clock();
  for (let i = 0; i < 10; i++) trip(0.02);
  begun.length = 0;
  trip(0.02);
  assert.ok(begun.length >= 4);
  assert.equal(begun, begun.map((_, i) => i === 0));
});

test("one long wait is looked at for a quarter of a millisecond at most", () => {
  const { trip, pass, pending } = clock();
  for (let i = 0; i < 20; i++) trip(0.1);
  assert.ok(trip(1000) <= 52);
  assert.is(pending(), 0);
  assert.is(pass(10), 0);
});

test("where answers come at once, less long, but as long as a peer takes that sleeps", () => {
  const { trip } = clock();
  for (let i = 0; i < 100; i++) trip(0.01);
  const turns = trip(1000);
  assert.ok(turns >= 16 && turns <= 24, `${turns}`);
});

test("a long wait now and then, as garbage collections make it, changes nothing", () => {
  const { trip } = clock();
  for (let i = 0; i < 100; i++) trip(0.02);
  for (let i = 0; i < 100; i++) {
    trip(0.6);
    for (let k = 0; k < 40; k++) assert.ok(trip(0.02) >= 4);
  }
});

test("where every third wait is long, most are slept through", () => {
  const { trip } = clock();
  for (let i = 0; i < 100; i++) trip(0.02);
  let turns = 0;
  for (let i = 0; i < 600; i++) {
    const turned = trip(i % 3 === 0 ? 1 : 0.02);
    if (i >= 100) turns += turned;
  }
  assert.ok(turns < 5 * 50, `${turns}`);
});

test("who shares a processor with the peer looks rarely", () => {
  const { lookout, pass, pending } = clock();
  let looks = 0;
  for (let i = 0; i < 2000; i++) {
    lookout.sent();
    lookout.waits();
    if (pending() > 0) looks++;
    while (pending() > 0) pass(0.005); // the peer cannot run
    pass(0.04);
    lookout.arrived();
  }
  assert.ok(looks > 3 && looks < 12, `${looks}`);
});

test("answers that take long are not looked out for, after a few", () => {
  const { trip } = clock();
  for (let i = 0; i < 20; i++) trip(0.1);
  assert.ok(trip(5) > 0);
  for (let i = 0; i < 10; i++) trip(5);
  for (let i = 0; i < 20; i++) assert.is(trip(5), 0);
});

test("nothing sent: nobody looks out", () => {
  const { lookout, trip, pass } = clock();
  for (let i = 0; i < 20; i++) trip(0.1);
  for (let i = 0; i < 20; i++) {
    lookout.waits();
    assert.is(pass(0.1), 0);
    lookout.arrived();
  }
});

test("what is never answered ends it, however much is sent", () => {
  const { lookout, trip, pass } = clock();
  for (let i = 0; i < 20; i++) trip(0.1);
  let turns = 0;
  for (let i = 0; i < 1000; i++) {
    lookout.sent();
    lookout.waits();
    turns = pass(0.02);
  }
  assert.is(turns, 0);
});

test("never on a host where it does not help", () => {
  const { trip } = clock({ glances: false });
  for (let i = 0; i < 50; i++) assert.is(trip(0.02), 0);
});

test("a task runs once with the look that is due, if one is", () => {
  const { lookout, trip, pass, pending } = clock();
  const ran: number[] = [];
  assert.not(lookout.andThen(() => ran.push(0)));
  for (let i = 0; i < 20; i++) trip(0.02);
  pass(1);
  lookout.sent();
  lookout.waits();
  assert.is(pending(), 1);
  lookout.arrived();
  // The program's next message: that is looked out for by the look that is under way.
  assert.ok(lookout.andThen(() => {
    ran.push(1);
    lookout.sent();
    lookout.waits();
  }));
  pass(0.005);
  assert.is(pending(), 1);
  assert.is(pass(0.05), 10);
  assert.equal(ran, [1]);
});

test("what a task wants done then is done by the next look, or refused", () => {
  const { lookout, trip, pass, pending } = clock();
  for (let i = 0; i < 20; i++) trip(0.02);
  const results: unknown[] = [];
  const again = (next: () => void) => () => {
    next();
    results.push(lookout.andThen(() => results.push("later")));
  };
  const look = () => {
    lookout.sent();
    lookout.waits();
    lookout.arrived();
  };
  pass(1);
  look();
  // Nothing is awaited any more: there is no look after this one.
  lookout.andThen(again(() => {}));
  pass(1);
  assert.equal(results, [false]);
  assert.is(pending(), 0);
  look();
  lookout.andThen(again(look));
  pass(1);
  assert.equal(results, [false, true, "later"]);
});

test("a task that throws ends the look", () => {
  const { lookout, trip, pass } = clock();
  for (let i = 0; i < 20; i++) trip(0.02);
  pass(1);
  lookout.sent();
  lookout.waits();
  lookout.andThen(() => {
    throw new Error("thrown");
  });
  assert.throws(() => pass(0.005), "thrown");
  lookout.arrived();
  assert.ok(trip(0.02) >= 4);
});

test.run();
