/** Reads and writes by a descriptor on Node and Bun: by node:fs, and by the C library. */
import { readFileSync } from "node:fs";
import * as net from "node:net";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Calls, libraryCalls } from "../../ts/host/bun_calls.ts";
import {
  readAllNow,
  readNow,
  writeAllNow,
} from "../../ts/host/node_descriptors.ts";
import { isBun, isDeno, until, within } from "../socket/tools.ts";

const test = suite("descriptors");

/** What is below a socket of node:net. */
interface Inner {
  _handle: { fd: number; pause?(): void };
}

/** Two ends of a connection, of which the runtime reads neither. */
async function pair(): Promise<[net.Socket & Inner, net.Socket & Inner]> {
  const server = net.createServer({ pauseOnConnect: true });
  const accepted = new Promise<net.Socket>((resolve) => {
    server.once("connection", (socket) => {
      socket.pause();
      (socket as net.Socket & Inner)._handle.pause?.();
      resolve(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const ours = net.connect(port, "127.0.0.1");
  const theirs = await within(accepted, "a connection");
  server.close();
  return [ours, theirs].map((socket) => {
    socket.on("error", () => {});
    return socket as net.Socket & Inner;
  }) as [net.Socket & Inner, net.Socket & Inner];
}

/** Bytes that differ from those around them. */
function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
}

/** Reads `size` bytes, some at a time. */
async function readAll(
  calls: Calls,
  fd: number,
  size: number,
  places: () => Uint8Array[],
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let had = 0;
  await until(() => {
    const to = places();
    let left = calls.readAll(fd, to);
    if (left > 0) had += left;
    for (const place of to) {
      if (left <= 0) break;
      parts.push(place.subarray(0, left));
      left -= place.length;
    }
    return had >= size;
  }, `${size} bytes`);
  return Buffer.concat(parts);
}

function suiteOf(name: string, calls: Calls): void {
  test(`${name}: where nothing is, a read says so`, async () => {
    const [ours, theirs] = await pair();
    assert.is(calls.read(theirs._handle.fd, new Uint8Array(100)), -1);
    const places = [new Uint8Array(9), new Uint8Array(100)];
    assert.is(calls.readAll(theirs._handle.fd, places), -1);
    ours.destroy();
    theirs.destroy();
  });

  test(`${name}: what is written in pieces is read to places`, async () => {
    const [ours, theirs] = await pair();
    const bytes = pattern(100_000);
    // More pieces, and places, than are usual; some have nothing.
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += 2000) {
      pieces.push(
        bytes.subarray(at, at + 1),
        bytes.subarray(at + 1, at + 2000),
      );
      if (at % 8000 === 0) pieces.push(new Uint8Array(0));
    }
    assert.is(calls.writeAll(ours._handle.fd, pieces), bytes.length);
    const read = await readAll(
      calls,
      theirs._handle.fd,
      bytes.length,
      () => Array.from({ length: 30 }, (_, i) => new Uint8Array(i * 100 + 1)),
    );
    assert.equal(new Uint8Array(read), bytes);
    ours.destroy();
    theirs.destroy();
  });

  test(`${name}: one place gets what is there, and no more`, async () => {
    const [ours, theirs] = await pair();
    const { fd } = theirs._handle;
    const place = new Uint8Array(10).fill(255);
    assert.is(calls.writeAll(ours._handle.fd, [pattern(4)]), 4);
    let size = -1;
    await until(
      () => (size = calls.read(fd, place.subarray(2))) >= 0,
      "4 bytes",
    );
    assert.is(size, 4);
    assert.equal(
      place,
      Uint8Array.of(255, 255, ...pattern(4), 255, 255, 255, 255),
    );
    ours.end();
    await until(() => (size = calls.read(fd, place)) >= 0, "the end");
    assert.is(size, 0);
    assert.is(calls.readAll(fd, [place]), 0);
    ours.destroy();
    theirs.destroy();
  });

  test(`${name}: a write takes what there is room for`, async () => {
    const [ours, theirs] = await pair();
    const { fd } = ours._handle;
    const bytes = pattern(2 ** 20);
    let written = 0, last = 0;
    do written += last = calls.writeAll(fd, [bytes, bytes]); while (last > 0);
    assert.is(calls.writeAll(fd, [bytes]), 0);
    assert.ok(written > 0);
    const read = await readAll(
      calls,
      theirs._handle.fd,
      written,
      () => [new Uint8Array(2 ** 16), new Uint8Array(2 ** 16)],
    );
    assert.is(read.length, written);
    for (let at = 0; at < written; at += bytes.length) {
      const part = read.subarray(at, at + bytes.length);
      assert.ok(part.equals(bytes.subarray(0, part.length)), `from ${at}`);
    }
    ours.destroy();
    theirs.destroy();
  });

  test(`${name}: a failed read tells why, a failed write is for another to tell`, () => {
    const place = new Uint8Array(10);
    const isBad = (error: Error) =>
      (error as { code?: string }).code === "EBADF";
    assert.throws(() => calls.read(2 ** 30, place), isBad);
    assert.throws(() => calls.readAll(2 ** 30, [place, place]), isBad);
    assert.is(calls.writeAll(2 ** 30, [place]), 0);
  });
}

const glibc = isBun && process.platform === "linux" &&
  readFileSync("/proc/self/maps", "latin1").includes("/libc.so.6");

// Deno does not show descriptors.
if (!isDeno && process.platform !== "win32") {
  const calls = { read: readNow, readAll: readAllNow, writeAll: writeAllNow };
  suiteOf("node:fs", calls);
  test("then there have been many calls", () => {
    for (let i = 0; i < 1000; i++) {
      assert.is(writeAllNow(2 ** 30, [new Uint8Array(1)]), 0);
    }
  });
  suiteOf("later", calls);
  test("the C library is called then, where Bun has it", () => {
    const isC = (error: Error) => error.message === "recv: EBADF";
    const read = () => readNow(2 ** 30, new Uint8Array(1));
    if (glibc) assert.throws(read, isC);
    else assert.throws(read, (error: Error) => !isC(error));
  });
  const library = glibc ? libraryCalls() : undefined;
  if (library) suiteOf("the C library", library);
}

test("only Bun with glibc has the C library", () => {
  if (isBun) assert.is(libraryCalls() !== undefined, glibc);
  else assert.is(libraryCalls(), undefined);
});

test.run();
