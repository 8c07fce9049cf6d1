/** Which inputs of many connections are pumped together. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Crowd } from "../../ts/reactor/crowd.ts";

const test = suite("crowd");

/** A crowd, a turn of the event loop with inputs of these sizes, and what was pumped when. */
function crowd({ tellsOneByOne = true, connections = 20 } = {}) {
  const tasks: (() => void)[] = [];
  const log: string[] = [];
  const pumped = () => void log.push("all");
  const subject = new Crowd(
    { later: (task) => void tasks.push(task), tellsOneByOne },
    pumped,
  );
  return {
    subject,
    tasks,
    turn: (...sizes: number[]) => {
      log.length = 0;
      for (const size of sizes) {
        if (!subject.gathers(size, connections)) log.push("one");
      }
      for (const task of tasks.splice(0)) task();
      return log.join(" ");
    },
  };
}

test("the turn after one with several inputs pumps once for all", () => {
  const { subject, turn } = crowd();
  assert.is(turn(16, 16, 16), "one one one");
  assert.ok(subject.busy);
  assert.is(turn(16, 16, 16, 16), "all");
  assert.is(turn(16), "all", "whoever comes alone then waits for its turn");
  assert.not.ok(subject.busy);
  assert.is(turn(16), "one");
  assert.is(turn(16, 16), "one one");
  assert.is(turn(16), "one", "two are no crowd");
});

test("much of one connection is pumped at once", () => {
  const { turn } = crowd();
  turn(16, 16, 16);
  assert.is(turn(16, 100_000, 16), "one all");
});

test("an input is looked at once in a turn, and not for few connections", () => {
  const { subject, tasks } = crowd();
  for (let i = 0; i < 5; i++) subject.gathers(16, 20);
  assert.is(tasks.length, 1);
  const few = crowd({ connections: 7 });
  assert.is(few.turn(16, 16, 16), "one one one");
  assert.is(few.turn(16, 16, 16), "one one one");
  few.subject.gathers(16, 7);
  assert.is(few.tasks.length, 0);
});

test("nothing is gathered where the program does not run between events", () => {
  const { turn } = crowd({ tellsOneByOne: false });
  turn(16, 16, 16);
  assert.is(turn(16, 16, 16), "one one one");
});

test.run();
