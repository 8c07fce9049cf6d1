/**
 * Hostile datagrams at a Dish and a Datagram, and odd messages of our own over udp. What comes
 * out must be what went in, for a group that was joined; honest ones arrive afterwards.
 */
import { Buffer } from "node:buffer";
import { createSocket, type Socket as Udp } from "node:dgram";
import { Context, draft } from "zeromq-wasm";
import { pause, until, within } from "../socket/tools.ts";
import { datagram, portOf } from "../udp/tools.ts";
import { bytes } from "../patches/zmtp.ts";
import type { Random } from "../support/random.ts";
import { Random as Seeded } from "../support/random.ts";

const SENDERS = 4, EACH = 60;
/** The most that libzmq reads of a datagram. */
const MOST = 8192;
const GROUPS = ["g", "", "x".repeat(255), "\xff\x80"];
const HEAP_SLACK = 512 * 1024;

const context = new Context();
let heapAtFirst: number | undefined;

function hostile(random: Random): Buffer {
  const group = random.chance(0.6) ? random.pick(GROUPS) : random.text(100);
  const name = Buffer.from(group, "latin1").subarray(0, 255);
  const body = random.bytes(random.size(random.pick([50, 3000, 9000, 60_000])));
  return random.pick([
    () => bytes([name.length], name, body),
    () => bytes([name.length], name),
    // Groups that are longer than what comes, or shorter than they say.
    () => bytes([random.below(256)], body.subarray(0, random.size(300))),
    () => bytes([name.length + 1 & 255], name),
    () => bytes([255], name),
    () => bytes([128], body),
    () => bytes([0], body),
    () => bytes([3], "g\0g", body),
    () => bytes([5, 4], "JOIN", body),
    () => body,
    () => Buffer.alloc(0),
  ])();
}

/** What a Dish should get of a datagram: the group and the body, as latin1. */
function meaning(packet: Buffer): [string, string] | undefined {
  const seen = packet.subarray(0, MOST);
  const size = seen[0];
  if (size === undefined || seen.length - 1 < size) return undefined;
  const group = seen.toString("latin1", 1, 1 + size);
  return [group.replace(/\0.*/s, ""), seen.toString("latin1", 1 + size)];
}

async function open(): Promise<Udp> {
  const socket = createSocket("udp4").on("error", () => {});
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return socket;
}

const say = (socket: Udp, packet: Uint8Array, port: number) =>
  new Promise<void>((resolve) =>
    socket.send(packet, port, "127.0.0.1", () => resolve())
  );

/** Throws when something is wrong after the round. */
export async function datagramRound(
  seed: number,
  round: number,
): Promise<void> {
  const random = new Seeded(seed, round, 2);
  const tight = random.chance(0.5) ? { receiveHighWaterMark: 2 } : {};
  const dish = new draft.Dish({ context, linger: 0, ...tight });
  const raw = new draft.Datagram({ context, linger: 0, ...tight });
  const radio = new draft.Radio({ context, linger: 0 });
  const peers = await Promise.all(Array.from({ length: SENDERS }, open));
  const sent = new Set<string>(), sentRaw = new Set<string>();
  const faults: string[] = [];
  let gotGroup = false, gotRaw = false;
  try {
    await dish.bind("udp://127.0.0.1:*");
    await raw.bind("udp://127.0.0.1:*");
    dish.join(...GROUPS.map((group) => Buffer.from(group, "latin1")));
    const ends = [portOf(dish), portOf(raw)] as const;

    const reading = (async () => {
      for (;;) {
        const [body, { group }] = await dish.receive();
        const text = body.toString("latin1");
        const name = Buffer.from(group).toString("latin1");
        if (text.startsWith("honest")) gotGroup = true;
        else if (!sent.has(`${name}\n${text}`) || !GROUPS.includes(name)) {
          faults.push(`a Dish got ${name}: ${text.slice(0, 50)}`);
        }
        if (random.chance(0.1)) await pause(1);
      }
    })();
    const readingRaw = (async () => {
      for (;;) {
        const [address, body] = await raw.receive();
        const text = body!.toString("latin1");
        if (text.startsWith("honest")) gotRaw = true;
        else if (!sentRaw.has(text)) {
          faults.push(`a Datagram got ${text.length}: ${text.slice(0, 50)}`);
        }
        // Answers, sometimes to nobody.
        const to = random.chance(0.7)
          ? address!
          : random.pick<Uint8Array | string>([
            ...["", ":", "127.0.0.1", "127.0.0.1:0", "x:1", "1.2.3:99999"],
            random.bytes(random.size(300)),
          ]);
        const answer = random.bytes(random.size(9000));
        try {
          await raw.send([to, answer]);
        } catch (error) {
          if (raw.closed) throw error;
        }
      }
    })();
    for (const done of [reading, readingRaw]) done.catch(() => {});

    radio.connect(`udp://127.0.0.1:${ends[0]}`);
    const own = (async () => {
      for (let n = 0; n < 20; n++) {
        const group = random.chance(0.5)
          ? random.pick(GROUPS)
          : random.text(300);
        const body = random.bytes(random.size(9000));
        const name = Buffer.from(group, "latin1").subarray(0, 255);
        const meant = meaning(bytes([name.length], name, body));
        sent.add(meant!.join("\n"));
        try {
          await radio.send(body, { group: name });
        } catch {
          // No group of theirs or ours.
        }
      }
    })();
    await Promise.all(peers.map(async (peer, i) => {
      const chance = new Seeded(seed, round, 3 + i);
      for (let n = 0; n < EACH; n++) {
        const packet = hostile(chance);
        const meant = meaning(packet);
        if (meant) sent.add(meant.join("\n"));
        sentRaw.add(packet.toString("latin1", 0, MOST));
        for (const port of ends) await say(peer, packet, port);
        if (chance.chance(0.1)) await pause(1);
      }
    }));
    await within(own, "our own messages");

    // Datagrams may be lost where nobody reads: again and again.
    const [honest] = peers as [Udp];
    await until(async () => {
      if (!gotGroup) await say(honest, datagram("g", "honest"), ends[0]);
      if (!gotRaw) await say(honest, Buffer.from("honest"), ends[1]);
      return gotGroup && gotRaw || faults.length > 0;
    }, "honest datagrams");
    gotGroup = false;
    await until(async () => {
      await radio.send("honest", { group: "g" });
      return gotGroup || faults.length > 0;
    }, "an honest message");
    if (faults.length > 0) throw new Error(faults[0]);
  } finally {
    for (const socket of [dish, raw, radio, ...peers]) socket.close();
  }
  await until(() => {
    const { sockets, connections, listeners } = context.resources;
    return sockets + connections + listeners === 0;
  }, "all is released");
  const { heap } = context.resources;
  heapAtFirst ??= heap;
  if (heap > heapAtFirst + HEAP_SLACK) {
    throw new Error(`udp grew: ${heapAtFirst} to ${heap}`);
  }
}
