/** Ten thousand peers that say nothing, or a byte a second, beside honest ones. */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Pull, Push } from "zeromq-wasm";
import { bound, closeAll, until, use } from "../socket/tools.ts";
import { numbered, program, Traffic } from "./tools.ts";

const test = suite("crowd");
test.after.each(closeAll);

const PEERS = 10_000;
/** Several processes and addresses, for what either may have of descriptors and ports. */
const PROCESSES = 4;
/** What a listener lets wait long for its handshake, as wasm/fd_table.cpp has it. */
const MOST_PENDING = 1024;
const MB = 2 ** 20;

/** Connects `count` times, says how many stand and have ended; a byte a second if `slow`. */
const CROWD = (port: number, from: string, count: number, slow: boolean) => `
  import { connect } from "node:net";
  const greeting = Buffer.from("ff00000000000000017f0300" + "4e554c4c", "hex");
  let made = 0, ended = 0;
  const say = () => console.log(made + " made, " + ended + " ended;");
  setInterval(say, 50);
  const one = () => new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    let timer, at = 0;
    const byte = () => socket.write(at < greeting.length
      ? greeting.subarray(at, ++at) : "\\0");
    socket.on("error", () => {}).resume().on("connect", () => {
      made++;
      resolve();
      if (slow) byte(), timer = setInterval(byte, 1000);
    });
    socket.on("close", () => { ended++; clearInterval(timer); resolve(); });
  });
  const [port, from, slow] = [${port}, ${JSON.stringify(from)}, ${slow}];
  let left = ${count};
  await Promise.all(Array.from({ length: 50 }, async () => {
    while (left-- > 0) await one();
  }));`;

class Crowd {
  readonly #children;
  constructor(port: number, slow: boolean) {
    this.#children = Array.from(
      { length: PROCESSES },
      (_, i) =>
        program(CROWD(port, `127.0.0.${i + 2}`, PEERS / PROCESSES, slow)),
    );
  }

  /** Of all peers. */
  count(what: "made" | "ended"): number {
    return this.#children.map(({ output }) =>
      Number(
        [...output().matchAll(new RegExp(`(\\d+) ${what}`, "g"))].at(-1)?.[1],
      )
    ).reduce((sum, n) => sum + (n || 0), 0);
  }

  async leave(): Promise<void> {
    for (const { signal } of this.#children) signal("SIGKILL");
    await Promise.all(this.#children.map(({ ended }) => ended));
  }
}

for (const slow of [false, true]) {
  const what = slow ? "say a byte a second" : "say nothing";
  test(`${PEERS} connections that ${what}`, async () => {
    const context = new Context();
    const pull = use(
      new Pull({ context, ...slow && { handshakeInterval: 3000 } }),
    );
    const endpoint = await bound(pull);
    const { held, heap } = {
      held: () => context.resources.connections,
      heap: () => context.resources.heap,
    };
    const before = { heap: heap(), rss: process.memoryUsage().rss };
    const push = use(new Push({ context: new Context(), linger: 0 }));
    let lost = 0;
    push.events.on("disconnect", () => lost++);
    push.connect(endpoint);
    const traffic = new Traffic(push, pull);
    await traffic.flows("before the crowd");
    const crowd = new Crowd(Number(/\d+$/.exec(endpoint)![0]), slow);
    const start = performance.now();
    let most = 0, rss = 0, rounds = 0;
    while (crowd.count("made") < PEERS) {
      await traffic.flows("in the crowd");
      most = Math.max(most, heap());
      rss = Math.max(rss, process.memoryUsage().rss);
      rounds++;
      assert.ok(performance.now() - start < 120_000, "all are connected");
    }
    await until(() => held() <= MOST_PENDING + 1, "the oldest are closed");
    await traffic.stop();
    assert.is(lost, 0, "who was served stays connected");
    assert.ok(rounds > 3);
    assert.ok(most - before.heap < 64 * MB, `${most - before.heap} of heap`);
    assert.ok(rss - before.rss < 256 * MB, `${rss - before.rss} in all`);
    // Who is new is served, too.
    const fresh = use(new Push({ context: new Context(), linger: 0 }));
    fresh.connect(endpoint);
    await fresh.send(numbered(traffic.sent));
    await until(() => traffic.ledger.last === traffic.sent, "its message");
    if (slow) {
      await until(() => crowd.count("ended") === PEERS, "all are sent away");
    } else {
      await until(
        () => crowd.count("ended") >= PEERS - MOST_PENDING - 1,
        "the oldest know",
      );
      assert.ok(held() > MOST_PENDING / 2, `${held()} of the latest are kept`);
    }
    await crowd.leave();
    await until(() => held() === 2, "only honest ones are left");
    const left = heap() - before.heap;
    // The table of descriptors does not shrink: it had up to 10,000 at once, depending on
    // how many the host accepts before libzmq can close the oldest.
    assert.ok(left < 6 * MB, `${left} bytes left behind`);
  });
}

test.run();
