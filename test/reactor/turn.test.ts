/** When a turn of the event loop has had enough of events, with a clock of our own. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Turn, TURN_MS } from "../../ts/reactor/turn.ts";

const test = suite("turn");

function clock() {
  const state = { time: 100, tasks: [] as (() => void)[] };
  const turn = new Turn({
    now: () => state.time,
    later: (task) => void state.tasks.push(task),
  });
  const next = () => state.tasks.splice(0).forEach((task) => task());
  return { state, turn, next };
}

test("events with little work are not looked at", () => {
  const { state, turn } = clock();
  for (let i = 0; i < 10; i++) {
    state.time += 1000;
    assert.ok(turn.goesOn(10));
  }
  assert.is(state.tasks.length, 0);
});

test("with much work, they wait when time is up, until the next turn", () => {
  const { state, turn, next } = clock();
  for (let i = 0; i < 3; i++) {
    assert.ok(turn.goesOn(1000));
    assert.is(state.tasks.length, 1);
    state.time += TURN_MS / 2;
    assert.ok(turn.goesOn(1000));
    state.time += TURN_MS;
    assert.not.ok(turn.goesOn(1));
    assert.not.ok(turn.goesOn(0));
    next();
    assert.ok(turn.goesOn(1));
    assert.is(state.tasks.length, 0);
  }
});

test("a pump ends when all is done, or time is up", () => {
  const { state, turn } = clock();
  let left = 3;
  const some = () => {
    state.time += TURN_MS / 4;
    return --left > 0 ? 1 : 0;
  };
  assert.ok(turn.pump(some));
  assert.is(left, 0);
  left = 100;
  assert.not.ok(turn.pump(some));
  assert.is(left, 95);
  // The module looks at the clock as well.
  assert.not.ok(turn.pump(() => 2));
});

test.run();
