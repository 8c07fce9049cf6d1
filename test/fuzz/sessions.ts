/** What hostile peers say: valid sessions of every version and mechanism, and how they go wrong. */
import { Buffer } from "node:buffer";
import {
  bytes,
  command,
  frame,
  greeting,
  greeting2,
  property,
  ready,
  SIGNATURE,
  upgrade,
  wsFrame,
} from "../patches/zmtp.ts";
import corpus from "./corpus.json";
import type { Random } from "../support/random.ts";

/** A session: parts that a peer would send, one after the other. */
export type Session = Buffer[];

const TYPES = [
  ..."PAIR PUB SUB REQ REP DEALER ROUTER PULL PUSH XPUB XSUB".split(" "),
  ..."SERVER CLIENT RADIO DISH GATHER SCATTER DGRAM PEER CHANNEL".split(" "),
  "STREAM",
  "",
  "X".repeat(300),
];

const COMMANDS = [
  ..."SUBSCRIBE CANCEL JOIN LEAVE PING PONG ERROR READY MESSAGE".split(" "),
  "",
  "SUBSCRIB",
];

/** Sizes that lie: around the limits of every width. */
const SIZES = [
  ...[0n, 1n, 255n, 256n, 65535n, 65536n, 2n ** 20n, 2n ** 24n, 2n ** 30n],
  ...[2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 16n],
  ...[2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];

export function uint64(value: bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(value);
  return out;
}

/** A frame whose header promises what need not come. */
export function lying(random: Random): Buffer {
  const flags = random.pick([0, 1, 2, 3, 4, 5, 6, 7, 0x80, 0xff]);
  const size = random.pick(SIZES);
  const head = flags & 2 ? uint64(size) : [Number(size & 255n)];
  return bytes([flags], head, random.bytes(random.size(2000)));
}

function messages(random: Random): Session {
  const out: Session = [];
  for (let i = random.size(12); i > 0; i--) {
    const body = random.bytes(random.size(3000));
    out.push(
      random.pick([
        () => frame(body),
        () => frame(body, true),
        // A request's delimiter, a subscription, its end.
        () => bytes(frame("", true), frame(body)),
        () => frame(bytes([random.below(3)], body)),
        () => command("SUBSCRIBE", body),
        () => command("CANCEL", body),
        () => command("PING", [0, random.below(256)], body),
        () => command("PONG", body),
        () => command("JOIN", body.subarray(0, random.size(300))),
        () => command("LEAVE", body.subarray(0, random.size(20))),
        () => command(random.text(20), body),
        () => command("ERROR", [random.below(256)], body),
        () => bytes([4, random.below(3)], random.bytes(random.below(3))),
        () => lying(random),
        // Without end.
        () => Buffer.concat(Array(300).fill(frame(body.subarray(0, 20), true))),
        () => Buffer.concat(Array(500).fill(frame("", true))),
        () => frame(Buffer.alloc(random.size(200_000), 1), random.chance(0.5)),
      ])(),
    );
  }
  return out;
}

/** Flags and bodies, to be encrypted. */
export function plaintexts(random: Random): Session {
  const out: Session = [];
  for (let i = random.size(12); i > 0; i--) {
    const body = random.bytes(random.size(1000));
    const named = (name: string) => bytes([name.length], name, body);
    out.push(
      random.pick([
        () => bytes([random.below(2)], body),
        () => bytes([0, random.below(3)], body),
        () => bytes([1], bytes([0]), body),
        () => bytes([random.below(256)], body),
        () => bytes([4], random.bytes(random.below(4))),
        () => bytes([4, random.below(256)], body),
        () =>
          bytes(
            [random.pick([4, 5, 0])],
            named(random.pick(COMMANDS)).subarray(0, random.size(1000)),
          ),
        () => bytes([4], named("PING").subarray(0, random.below(30))),
        () => Buffer.alloc(random.below(2)),
      ])(),
    );
  }
  return out;
}

/** Most say what the other side wants to hear, or nothing further would be tried. */
function typeOf(random: Random, wanted: string): string {
  return random.chance(0.8) ? wanted : random.pick(TYPES);
}

export function metadata(random: Random, wanted: string): Buffer {
  const out = [property("Socket-Type", typeOf(random, wanted))];
  while (random.chance(0.5)) {
    out.push(property(
      random.pick(["Identity", "Resource", "X-a", "Socket-Type", "", "é"]),
      random.bytes(random.size(400)),
    ));
  }
  return Buffer.concat(out);
}

function zmtp3(random: Random, mechanism: string, wanted: string): Session {
  const type = typeOf(random, wanted);
  const start = greeting(mechanism, random.chance(0.5));
  // The minor version, or another major one.
  start[11] = random.below(3);
  if (random.chance(0.1)) start[10] = random.below(256);
  const size = () => random.size(300);
  const handshake: Session = mechanism === "PLAIN"
    ? [
      command("HELLO", [4], "user", [8], "password"),
      command("INITIATE", metadata(random, wanted)),
      command("WELCOME"),
      command("READY", metadata(random, wanted)),
    ]
    : mechanism === "CURVE"
    ? [
      command("HELLO", [1, 0], Buffer.alloc(72), random.bytes(120)),
      command("WELCOME", random.bytes(160)),
      command("INITIATE", random.bytes(105 + size())),
      command("READY", random.bytes(30 + size())),
      command("MESSAGE", random.bytes(25 + size())),
    ]
    : random.chance(0.7)
    ? [ready(type, random.chance(0.5) ? random.bytes(size()) : undefined)]
    : [command("READY", metadata(random, wanted))];
  return [start, ...handshake, ...messages(random)];
}

function zmtp2(random: Random): Session {
  const identity = frame(random.bytes(random.size(260)));
  return [greeting2(random.below(20)), identity, ...messages(random)];
}

/** ZMTP 1 has no greeting: a length and flags before each part. */
function zmtp1(random: Random): Session {
  const part = (body: Buffer) =>
    random.chance(0.8)
      ? bytes([Math.min(254, body.length + 1), random.below(2)], body)
      : bytes([255], uint64(random.pick(SIZES)), [random.below(2)], body);
  const out = [part(random.bytes(random.size(200)))];
  while (random.chance(0.8)) out.push(part(random.bytes(random.size(254))));
  return out;
}

function http(random: Random): Session {
  const line = random.pick(["GET", "POST", "CONNECT", random.text(20)]);
  const headers = Array.from(
    { length: random.size(100) },
    () => `${random.text(20)}: ${random.text(100)}\r\n`,
  );
  return [
    bytes(`${line} / HTTP/1.1\r\n`),
    bytes(headers.join("")),
    bytes(
      "\r\n",
    ),
  ];
}

function webSocket(random: Random, wanted: string): Session {
  const protocol = random.pick([
    "ZWS2.0",
    "ZWS2.0/NULL",
    "ZWS2.0/PLAIN",
    "ZWS2.0/CURVE",
    random.text(50),
  ]);
  const out: Session = [upgrade(protocol)];
  for (let i = random.size(10); i > 0; i--) {
    const body = bytes([random.below(4)], random.bytes(random.size(120)));
    out.push(
      random.pick([
        () => wsFrame(2, body),
        () => wsFrame(random.below(16), body),
        () =>
          bytes(
            [0x82, 0xff],
            uint64(random.pick(SIZES)),
            random.bytes(4 + random.size(500)),
          ),
        () => bytes([random.below(256), 0xfe], random.bytes(random.size(500))),
        () =>
          wsFrame(2, bytes([2], command("READY", metadata(random, wanted)))),
      ])(),
    );
  }
  return out;
}

/** A session that might come from a peer. */
function valid(random: Random, wanted: string): Session {
  return random.pick([
    () => zmtp3(random, "NULL", wanted),
    () => zmtp3(random, "NULL", wanted),
    () => zmtp3(random, "PLAIN", wanted),
    () => zmtp3(random, "CURVE", wanted),
    () => zmtp3(random, random.text(20).slice(0, 20), wanted),
    () => zmtp2(random),
    () => zmtp1(random),
    () => http(random),
    () => webSocket(random, wanted),
    () => [SIGNATURE],
    () =>
      random.pick(Object.values(corpus)).map((text) =>
        Buffer.from(text, "hex")
      ),
  ])();
}

/** Changes some bytes, lengths or the order of a session. */
export function mutate(random: Random, session: Session): Session {
  let out = session.map((part) => Buffer.from(part));
  while (random.chance(0.5)) {
    const at = random.below(out.length);
    const part = out[at] ?? Buffer.alloc(0);
    random.pick([
      () =>
        part.length > 0 &&
        (part[random.below(part.length)] ^= 1 << random.below(8)),
      () =>
        part.length > 0 &&
        (part[random.below(Math.min(12, part.length))] = random.pick([
          0,
          1,
          127,
          128,
          254,
          255,
        ])),
      () => out[at] = part.subarray(0, random.below(part.length + 1)),
      () => out.splice(at, 1),
      () => out.splice(at, 0, part),
      () => out.splice(random.below(out.length + 1), 0, lying(random)),
      () => out.splice(at, 0, random.bytes(random.size(3000))),
      () => out = [...out.slice(at), ...out.slice(0, at)],
      () => out[at] = bytes(part, random.bytes(random.size(20))),
    ])();
  }
  return out;
}

/** What one hostile peer sends to who wants a type of socket. */
export function hostile(random: Random, wanted: string): Session {
  if (random.chance(0.1)) return [random.bytes(random.size(5000))];
  const session = valid(random, wanted);
  return random.chance(0.3) ? session : mutate(random, session);
}
