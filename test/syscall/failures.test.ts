/** Why connections failed is known for a while, and takes little memory. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { HostError } from "../../ts/host/host.ts";
import * as inner from "../../ts/mod.ts";
import { coreOf } from "../../ts/socket/context.ts";
import { Failures } from "../../ts/syscall/failures.ts";
import { closeAll, freePort, until, within } from "../socket/tools.ts";

const test = suite("failures");
test.after.each(closeAll);

test("what is kept of an error is its code and its sentence", () => {
  const failures = new Failures();
  const error = new HostError("ECONNREFUSED", "connect x: refused", {
    cause: new Error("of the host"),
  });
  failures.add(7, error);
  const { code, message, cause } = failures.get(7)!;
  assert.equal([code, message], ["ECONNREFUSED", "connect x: refused"]);
  assert.is(cause, undefined);
  assert.is.not(failures.get(7), error);
});

test("the oldest go, and those of fds that are used again", () => {
  const failures = new Failures();
  const add = (fd: number) => failures.add(fd, new HostError("EPERM", "no"));
  const MOST = 2048;
  for (let fd = 0; fd < MOST; fd++) add(fd);
  add(1);
  assert.ok(failures.get(0), "one that is known already takes nobody's place");
  add(MOST);
  assert.is(failures.get(0), undefined);
  assert.ok(failures.get(1));
  failures.forget(1);
  assert.is(failures.get(1), undefined);
});

test("when the last socket is gone they are, too", async () => {
  const context = new inner.Context();
  const { failures } = coreOf(context).reactor.instance.fds;
  const fds: number[] = [];
  const { add } = failures;
  failures.add = function (fd, error) {
    fds.push(fd);
    add.call(this, fd, error);
  };
  const dealer = new inner.Dealer({ context, linger: 0 });
  const { events } = dealer;
  dealer.connect(`tcp://127.0.0.1:${await freePort()}`);
  await until(() => fds.length > 0, "a failure");
  dealer.close();
  assert.ok(failures.get(fds[0]!));
  while ((await within(events.receive(), "an event")).type !== "end");
  await until(() => context.resources.sockets === 0, "no sockets");
  await until(() => !failures.get(fds[0]!), "nothing is known");
});

test.run();
