/** What the default context knows of inproc names, and forgets. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as inner from "../../ts/mod.ts";
import { coreOf } from "../../ts/socket/context.ts";
import { closeAll, use } from "../socket/tools.ts";

const test = suite("inproc names");
test.after.each(closeAll);

test("names that were bound and connected to leave nothing behind", async () => {
  // The default context: only it looks for names in other threads.
  const core = coreOf(inner.context);
  const pair = use(new inner.Pair());
  await pair.bind("inproc://leaks");
  const { outside } = core.reactor.instance.fds;
  const before = outside.size;
  for (let i = 0; i < 50; i++) {
    const a = new inner.Pair(), b = new inner.Pair();
    await a.bind(`inproc://leaks-${i}`);
    b.connect(`inproc://leaks-${i}`);
    assert.equal([...core.inproc.all()], [`inproc://leaks-${i}`]);
    a.close();
    await b[Symbol.asyncDispose]();
  }
  assert.is(outside.size, before);
  assert.is(core.inproc.all().size, 0);
});

test.run();
