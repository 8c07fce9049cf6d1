/** What is read past the runtime and what it reads itself are one stream. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { denoHost } from "../../ts/host/deno.ts";
import {
  descriptorOf,
  nameOf,
  readAllNow,
  writeAllNow,
} from "../../ts/host/deno_direct.ts";
import type { DenoConnection } from "../../ts/host/deno_stream.ts";
import type { DenoApi, DenoConn } from "../../ts/host/deno_types.ts";
import type { Connection, Host, Listener } from "../../ts/host/host.ts";
import { nodeHost } from "../../ts/host/node.ts";
import { isBun, isDeno, until, within } from "../socket/tools.ts";
import { callsC } from "./c_library.ts";

const test = suite("past the runtime");
const theHost = (): Host => isDeno ? denoHost() : nodeHost;

interface Deno extends DenoApi {
  /** What Deno's own tests look at for leaks. */
  readonly internal: symbol;
  readonly UnsafePointer: { of(memory: Uint8Array): unknown };
}
const { Deno } = globalThis as unknown as { Deno?: Deno };

/** What byte `index` of every stream is. */
const byteAt = (index: number): number => (index * 7 + (index >> 8)) & 255;

const FRAME_BYTES = 100_000;

/** The reading end of a connection; puts together what comes as libzmq does, and checks it. */
class Reader {
  received = 0;
  wrong: number | undefined;
  /** What came to its place. */
  placed = 0;
  #frame = new Uint8Array(FRAME_BYTES);
  #at = 0;

  constructor(readonly connection: Connection, places: boolean) {
    connection.start({
      connected() {},
      data: (bytes) => {
        this.#take(bytes);
        return places ? this.#frame.subarray(this.#at) : undefined;
      },
      places: () => undefined,
      filled: () => undefined,
      ended() {},
      drained() {},
      closed() {},
    });
  }

  #take(bytes: Uint8Array): void {
    while (bytes.length > 0) {
      const part = bytes.subarray(0, FRAME_BYTES - this.#at);
      if (
        part.buffer === this.#frame.buffer && part.byteOffset === this.#at
      ) this.placed += part.length;
      else this.#frame.set(part, this.#at);
      bytes = bytes.subarray(part.length);
      this.#at += part.length;
      if (this.#at === FRAME_BYTES) this.#next();
    }
  }

  #next(): void {
    this.check();
    this.received += this.#at;
    this.#frame = new Uint8Array(FRAME_BYTES);
    this.#at = 0;
  }

  get total(): number {
    return this.received + this.#at;
  }

  /** Of a whole frame, as what is read later must not change what was there. */
  check(): void {
    for (let i = 0; i < this.#at; i++) {
      if (this.#frame[i] !== byteAt(this.received + i)) {
        this.wrong ??= this.received + i;
      }
    }
  }
}

class Writer {
  sent = 0;
  /** What was written without a view of it. */
  byThemselves = 0;
  #drained: (() => void) | undefined;

  constructor(readonly connection: Connection) {
    connection.start({
      connected() {},
      data: () => undefined,
      places: () => undefined,
      filled: () => undefined,
      ended() {},
      drained: () => this.#drained?.(),
      closed() {},
    });
  }

  async write(size: number): Promise<void> {
    const memory = new Uint8Array(size + 7);
    const bytes = memory.subarray(7);
    for (let i = 0; i < size; i++) bytes[i] = byteAt(this.sent + i);
    this.sent += size;
    const drained = new Promise<void>((resolve) => this.#drained = resolve);
    let gone = this.connection.writeFrom?.(memory, 7, size) ?? 0;
    this.byThemselves += gone;
    if (gone === 0) {
      gone = this.connection.writeNow!([
        bytes.subarray(0, size >> 1),
        bytes.subarray(size >> 1),
      ]);
    }
    if (gone < size && !this.connection.write(bytes.subarray(gone))) {
      await drained;
    }
  }
}

const open: { close(): void }[] = [];
const alive: (() => void)[] = [];
test.before.each(() => {
  alive.push(theHost().keepAlive());
});
test.after.each(() => {
  for (const it of open.splice(0)) it.close();
  for (const end of alive.splice(0)) end();
});

async function pairs(
  count: number,
  places: boolean,
  at = "127.0.0.1",
) {
  const family = at.includes(":") ? 6 : 4;
  const host = theHost();
  const made: { reader: Reader; writer: Writer }[] = [];
  for (let i = 0; i < count; i++) {
    const listener: Listener = await host.listen(
      { kind: "tcp", host: at, port: 0, family },
      10,
    );
    const accepted = new Promise<Connection>((resolve) =>
      listener.start(resolve)
    );
    const dialled = host.connect({
      kind: "tcp",
      host: at,
      port: listener.local!.port,
      family,
    });
    // Both kinds of connections read.
    const ends = i % 2 === 0
      ? [dialled, accepted] as const
      : [accepted, dialled] as const;
    const first = ends[0] === dialled ? dialled : undefined;
    const reader = first && new Reader(first, places);
    const writer = first ? undefined : new Writer(dialled);
    const other = await within(accepted, "a connection");
    made.push({
      reader: reader ?? new Reader(other, places),
      writer: writer ?? new Writer(other),
    });
    open.push(listener, dialled, other);
  }
  return { host, made };
}

for (const places of [false, true]) {
  test(`all that comes is in order${places ? ", in its place" : ""}`, async () => {
    const { host, made } = await pairs(3, places);
    let over = false;
    open.push({ close: () => over = true });
    // On Deno so few are read past it in such a turn; in the others Deno reads.
    let turns = 0;
    const look = () => {
      if (over) return;
      if (++turns % 3 !== 0 || !host.glance!(look, false)) host.later(look);
    };
    look();
    let seed = 1;
    const random = (most: number) =>
      (seed = (seed * 48271) % 2147483647) % most;
    await Promise.all(made.map(async ({ writer }) => {
      for (let i = 0; i < 400; i++) {
        await writer.write(1 + random(i % 8 === 0 ? 300_000 : 9000));
        if (random(3) === 0) await new Promise<void>((go) => host.later(go));
      }
    }));
    for (const { reader, writer } of made) {
      await until(() => reader.total >= writer.sent, "all of it");
      assert.is(reader.total, writer.sent);
      reader.check();
      assert.is(reader.wrong, undefined);
      if (places) assert.ok(reader.placed > 0);
    }
    if (!isDeno && !isBun) {
      assert.ok(made.every(({ writer }) => writer.byThemselves > 0));
    }
  });
}

test("only where it is permitted, and while the connection stands", async () => {
  if (!isDeno) return;
  const { made } = await pairs(2, false);
  made.push(...(await pairs(2, false, "::1")).made);
  const isOpen = () => {
    const { core } = (Deno as unknown as Record<symbol, {
      core: { resources(): Record<string, string> };
    }>)[Deno!.internal]!;
    return Object.values(core.resources()).includes("dynamicLibrary");
  };
  assert.is(isOpen(), false, "opened before it is needed");
  for (const { reader } of made) {
    const connection = reader.connection as DenoConnection;
    assert.is(connection.isDirect, callsC);
    assert.is(isOpen(), callsC);
    assert.is(connection.writeNow([Uint8Array.of(1)]), callsC ? 1 : 0);
    connection.close();
    assert.is(connection.isDirect, false);
    assert.is(connection.writeNow([Uint8Array.of(1)]), 0);
  }
  for (const it of open.splice(0)) it.close();
  await until(() => !isOpen(), "closed with the last connection");
});

/** Runs `task` with another function in its place. */
async function instead<Name extends string, Call>(
  object: { readonly [_ in Name]: Call },
  name: Name,
  replacement: (original: Call) => Call,
  task: () => Promise<void>,
): Promise<void> {
  const changed = object as Record<Name, Call>;
  const original = changed[name];
  changed[name] = replacement(original);
  try {
    await task();
  } finally {
    changed[name] = original;
  }
}

test("what comes soon after a large frame is found without Deno", async () => {
  if (!isDeno || !callsC) return;
  let asked = 0;
  const counted =
    (connect: DenoApi["connect"]): DenoApi["connect"] => async (...options) => {
      const conn = await connect(...options);
      const read = conn.read.bind(conn);
      return Object.assign(conn, {
        read: (memory: Uint8Array) => {
          asked++;
          return read(memory);
        },
      });
    };
  await instead(Deno!, "connect", counted, async () => {
    const { host, made: [{ reader, writer }] } = await pairs(1, true) as {
      host: Host;
      made: [{ reader: Reader; writer: Writer }];
    };
    const frames = 20;
    for (let i = 0; i < frames; i++) {
      await writer.write(FRAME_BYTES);
      for (let turns = 0; reader.total < writer.sent; turns++) {
        // Ticks alone would keep Deno from reading.
        await new Promise<void>((go) =>
          turns < 8 ? host.soon(go) : host.later(go)
        );
      }
    }
    assert.is(reader.wrong, undefined);
    assert.ok(asked < frames / 2, `${asked} reads by Deno`);
  });
});

test("a timer fires while a peer writes something whenever it is looked for more", async () => {
  const host = theHost();
  const { made } = await pairs(1, true);
  const { reader, writer } = made[0]!;
  // Of a frame that never ends soon, the next piece is there in the tick after the last.
  let over = false, pieces = 0;
  const feed = async () => {
    for (; !over && pieces < 50_000; pieces++) {
      await writer.write(9000);
      for (let ticks = 0; ticks < 8 && reader.total < writer.sent; ticks++) {
        await new Promise<void>((go) => host.soon(go));
      }
      while (!over && reader.total < writer.sent) {
        await new Promise<void>((go) => host.later(go));
      }
    }
  };
  const fed = feed();
  await until(() => pieces > 20, "a begin");
  await new Promise<void>((go) => host.setTimer(go, 1));
  over = true;
  await fed;
  assert.ok(pieces < 25_000, `${pieces} pieces before a timer`);
  assert.is(reader.wrong, undefined);
});

test("Deno is not asked for addresses: it would keep what lies there", async () => {
  if (!isDeno || !callsC) return;
  const listener = Deno!.listen({ hostname: "127.0.0.1", port: 0 });
  const { hostname, port } = listener.addr as {
    hostname: string;
    port: number;
  };
  const [near, far]: DenoConn[] = await Promise.all([
    Deno!.connect({ hostname, port }),
    listener.accept(),
  ]);
  open.push(listener, near!, far!);
  const refusing = () => () => {
    throw new Error("Deno was asked");
  };
  await instead(Deno!.UnsafePointer, "of", refusing, async () => {
    await pairs(1, false); // which keeps the library open
    const sent = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)];
    const came = [new Uint8Array(4), new Uint8Array(9).subarray(2)];
    assert.is(writeAllNow(descriptorOf(near!)!, sent), 5);
    let size = 0;
    const fd = descriptorOf(far!)!;
    await until(() => (size ||= readAllNow(fd, came)) > 0, "bytes");
    assert.is(size, 5);
    assert.equal([...came[0]!, came[1]![0]], [1, 2, 3, 4, 5]);
  });
});

test("connections are told apart by addresses, not by ports alone", () => {
  const bytes = (hostname: string) => nameOf({ hostname, port: 5 });
  const ipv4 = "0,0,0,0,0,0,0,0,0,0,255,255,";
  assert.is(bytes("10.0.0.1"), `${ipv4}10,0,0,1 5`);
  assert.is(bytes("::ffff:10.0.0.1"), `${ipv4}10,0,0,1 5`);
  assert.is(bytes("10.0.0.2"), `${ipv4}10,0,0,2 5`);
  assert.is(bytes("::1"), "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1 5");
  assert.is(bytes("fe80::1%eth0"), "254,128,0,0,0,0,0,0,0,0,0,0,0,0,0,1 5");
  assert.is(
    bytes("2001:db8::8:800:200c:417a"),
    "32,1,13,184,0,0,0,0,0,8,8,0,32,12,65,122 5",
  );
  assert.is(bytes("1:2:3:4:5:6:7:8"), "0,1,0,2,0,3,0,4,0,5,0,6,0,7,0,8 5");
  assert.is(bytes("localhost"), undefined);
});

test.run();
