/** When Bun's own reads are off, and on again: what decides has no need of Bun. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Socket } from "node:net";
import { BusyReads } from "../../ts/host/bun_reads.ts";
import type { Places } from "../../ts/host/node_reads.ts";
import { until } from "../socket/tools.ts";

const test = suite("reads on Bun");

/** A connection, and what its descriptor has. */
function connection() {
  const it = {
    /** What each next read finds, in bytes; nothing after these. */
    coming: [] as number[],
    /** Whether large frames come. */
    areLarge: true,
    reads: 0,
    own: true,
    /** The descriptor of the socket. */
    fd: 7 as number | undefined,
    /** What the stream has read ahead. */
    ahead: 0,
    data: (size: number) => reads.data(new Uint8Array(size)),
    go: (most: number) => reads.go(most),
    pause: () => reads.pause(),
    resume: () => reads.resume(),
  };
  const places = {
    get areLarge() {
      return it.areLarge;
    },
    take() {},
    read() {
      it.reads++;
      return -1 - (it.coming.shift() ?? 0);
    },
  };
  const socket = {
    get readableLength() {
      return it.ahead;
    },
    _handle: { pause: () => it.own = false, resume() {} },
    pause() {},
    resume: () => it.own = true,
  };
  const reads = new BusyReads(
    socket as unknown as Socket,
    places as unknown as Places,
    () => it.fd,
  );
  return it;
}

test("a few looks for more of large frames, and fewer after some in vain", async () => {
  const it = connection();
  for (const looks of [16, 8, 4, 2, 1, 1]) {
    it.reads = 0;
    it.data(40_000);
    assert.is(it.own, false);
    await until(() => it.own);
    assert.is(it.reads, 1 + looks);
  }
});

test("what is found is looked for again, and with more patience", async () => {
  const it = connection();
  for (let i = 0; i < 3; i++) {
    it.data(40_000);
    await until(() => it.own);
  }
  // Two looks at most now; the second finds something, and then there are four.
  it.reads = 0;
  it.coming = [0, 0, 9];
  it.data(40_000);
  await until(() => it.own);
  assert.is(it.reads, 3 + 4);
});

test("what a turn has read counts also where there was no more", () => {
  const it = connection();
  it.coming = [9];
  assert.is(it.go(1000), 9);
});

test("Bun reads nothing during a pause, which would be new memory and a copy more", async () => {
  const it = connection();
  it.areLarge = false;
  it.data(1000);
  it.pause();
  assert.is(it.own, false);
  it.coming = [9];
  it.resume();
  assert.is(it.own, false);
  await until(() => it.own);
  assert.is(it.reads, 1);
});

test("of small frames nothing is looked for", () => {
  const it = connection();
  it.areLarge = false;
  it.data(40_000);
  assert.is(it.own, true);
  assert.is(it.reads, 1);
});

test("what the stream has read ahead goes first, at once", () => {
  const it = connection();
  it.ahead = 5;
  it.data(40_000);
  assert.is(it.own, true);
  assert.is(it.reads, 0);
});

test("where no descriptor is known, Bun reads by itself after a pause", async () => {
  const it = connection();
  it.fd = undefined;
  it.pause();
  it.own = false;
  it.resume();
  await until(() => it.own);
  assert.is(it.reads, 0);
});

test.run();
