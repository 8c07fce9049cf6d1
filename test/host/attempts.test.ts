/** Attempts to connect that keep a process alive: when they are given up. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Attempts } from "../../ts/host/attempts.ts";

const test = suite("attempts");

/** Attempts in a time of their own. */
function world() {
  let now = 0, busy = false;
  let timer: { due: number; task: () => void } | undefined;
  const given: string[] = [];
  const all = new Attempts({
    now: () => now,
    later: (task) => task(),
    setTimer(task, ms) {
      const made = timer = { due: now + ms, task };
      return { cancel: () => timer === made && (timer = undefined) };
    },
  }, () => busy);
  return {
    given,
    isIdle: () => timer === undefined,
    setBusy: (value: boolean) => busy = value,
    begin(name: string) {
      const over = all.begin(({ code }) => {
        given.push(`${name} ${code}`);
        over();
      }, name);
      return over;
    },
    pass(ms: number) {
      const end = now + ms;
      while (timer && timer.due <= end) {
        const { due, task } = timer;
        timer = undefined;
        now = due;
        task();
      }
      now = end;
    },
  };
}

test("one without an answer is given up, and the next has more time", () => {
  const { begin, pass, given, isIdle } = world();
  begin("first");
  pass(999);
  assert.equal(given, []);
  pass(1);
  assert.equal(given, ["first ETIMEDOUT"]);
  begin("second");
  pass(1999);
  assert.is(given.length, 1);
  pass(1);
  assert.is(given.length, 2);
  assert.ok(isIdle());
});

test("all go with the oldest", () => {
  const { begin, pass, given } = world();
  begin("old");
  pass(900);
  begin("young");
  pass(100);
  assert.equal(given, ["old ETIMEDOUT", "young ETIMEDOUT"]);
});

test("what is over is not given up, and leaves no timer", () => {
  const { begin, pass, given, isIdle } = world();
  const over = begin("first");
  pass(500);
  begin("second");
  over();
  over();
  pass(900);
  assert.equal(given, []);
  pass(700);
  assert.equal(given, ["second ETIMEDOUT"]);
  begin("third")();
  assert.ok(isIdle());
});

test("they last while there is something else to wait for", () => {
  const { begin, pass, given, setBusy } = world();
  setBusy(true);
  begin("first");
  pass(60_000);
  assert.equal(given, []);
  setBusy(false);
  pass(1000);
  assert.is(given.length, 1);
});

test.run();
