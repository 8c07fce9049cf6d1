// What is measured, as data. Each group is one table of the report; its first metric
// is the one that is drawn and compared.

import * as measure from "./measure.mjs";
import * as scale from "./measure_scale.mjs";

const KB = 1024;
const MB = 1024 * KB;
const SIZES = [16, 256, KB, 16 * KB, 64 * KB, MB, 16 * MB];
const FEWER = [16, KB, 64 * KB, MB];
const FEWEST = [16, KB, 64 * KB];

/**
 * Seconds before messages are measured that take long: in the usual 0.8 there are so few that
 * engines are still compiling, on the processors that are measured (64 KB with CURVE took the
 * sender 154 us then, 112 later).
 */
const LONG_WARM = 2.5;
/**
 * And before rates that are compared between runtimes, in whole runs: in its first seconds Bun
 * received 258, 614 and 701 thousand messages of 1 KB a second, and 800 from the fifth on, Node
 * 772 and 928 from the second on. A second more or less is 30 % then, so two are measured.
 */
export const STEADY = { warm: 4, seconds: 2 };
/**
 * And before round trips, of which the slowest are looked at: while an engine compiles, it takes
 * the peer's processor. One of 100 trips took 0.5 ms in the third second on Deno and on Node 26,
 * 0.15 ms from the fourth or fifth on; on Node 20 it was the second second.
 */
const TRIPS_WARM = 5;
/** Queues of large messages hold this many bytes. */
const QUEUE_BYTES = 64 * MB;
const hwm = (size) =>
  Math.max(2, Math.min(1000, Math.floor(QUEUE_BYTES / size)));

export function sizeName(size) {
  if (size < KB) return `${size} B`;
  return size < MB ? `${size / KB} KB` : `${size / MB} MB`;
}

/** higher: more is better. */
export const METRICS = {
  rate: { title: "messages/s", higher: true },
  trips: { title: "round trips/s", higher: true },
  fillRate: { title: "queued/s", higher: true },
  sendCpu: { title: "sender's CPU, µs/message" },
  receiveCpu: { title: "receiver's CPU, µs/message" },
  bothCpu: { title: "CPU, µs/message" },
  requestCpu: { title: "client's CPU, µs/trip" },
  clientCpu: { title: "clients' CPU, µs/trip" },
  p50: { title: "median, µs" },
  p99: { title: "p99, µs" },
  p999: { title: "p99.9, µs" },
  fairness: { title: "slowest client against the average", higher: true },
  delayP99: { title: "event-loop delay p99, ms" },
  delayMax: { title: "event-loop delay, most, ms" },
  memory: { title: "memory of each, bytes" },
  clientMemory: { title: "client's memory of each, bytes" },
  acceptTime: { title: "time to accept each, µs" },
  subscribeTime: { title: "time to take each, µs" },
  idleCpu: { title: "CPU when idle, s/s" },
  bound: { title: "import to first bound socket, ms" },
  process: { title: "new process to bound socket, ms" },
  resident: { title: "resident memory, bytes" },
  added: { title: "memory on top of the runtime's, bytes" },
};

/** The share of our speed on Node that other runtimes should reach. */
const others = (metric) => {
  const limit = METRICS[metric].higher ? 0.8 : 1.25;
  return ["deno", "bun"].map((by) => ({ metric, by, of: "node", limit }));
};

/**
 * The scenarios of each group. `sizes` replaces the sizes of those that have one.
 * `target` and `floor` are ratios to the native addon on the group's first metric:
 * what is wanted, and what the regression guard insists on. `also` are targets for other
 * metrics, or between others: `limit` is the ratio of one runtime to another, or the value
 * itself where there is no other. What is `steady` is measured when engines have compiled (STEADY),
 * what is `timed` has a time of its own, and `without` names who has nothing to compare.
 */
export function groups(sizes) {
  const each = (own, make) => (sizes ?? own).map(make);
  const pushPull = (transport, extra = {}) => (size) => ({
    name: sizeName(size),
    run: transport === "inproc" ? measure.inproc : measure.pushPull,
    job: {
      size,
      hwm: hwm(size),
      transport: transport === "inproc" ? undefined : transport,
      ...(size >= 64 * KB || extra.curve) && { warm: LONG_WARM },
      ...extra,
    },
  });
  const flow = ["rate", "sendCpu", "receiveCpu", "delayP99"];
  const trips = ["trips", "clientCpu", "fairness", "delayP99"];
  return [
    {
      id: "push-pull",
      title: "PUSH to PULL over tcp, `await` on each message",
      metrics: flow,
      scenarios: each(SIZES, (size) => ({
        ...pushPull("tcp")(size),
        quick: FEWER.includes(size) || sizes,
        target: { 16: 5, [KB]: 2.5, [64 * KB]: 1.2, [MB]: 1 }[size],
        floor: { 16: 3, [KB]: 1.5, [64 * KB]: 0.65, [MB]: 0.5 }[size],
        also: FEWER.includes(size) ? others("rate") : [],
        steady: FEWER.includes(size),
      })),
    },
    {
      id: "receive",
      title: "The same with `await socket.receive()` instead of `for await`",
      metrics: flow,
      scenarios: each([16], pushPull("tcp", { api: "receive" })),
    },
    {
      id: "batch",
      title: "The same with `sendMany` and `receiveMany`; others as above",
      metrics: flow,
      scenarios: each([16, KB], (size) => ({
        ...pushPull("tcp", { api: "batch" })(size),
        also: [{ metric: "rate", by: "node", of: "c", limit: 0.33 }],
        steady: true,
      })),
    },
    {
      id: "curve",
      title: "PUSH to PULL over tcp with CURVE",
      metrics: flow,
      scenarios: each(FEWER, (size) => ({
        ...pushPull("tcp", { curve: true })(size),
        quick: size === KB,
        target: { [KB]: 1.5, [64 * KB]: 1 }[size],
        floor: { [KB]: 0.7 }[size],
        also: [KB, 64 * KB].includes(size) ? others("rate") : [],
        steady: [KB, 64 * KB].includes(size),
      })),
    },
    {
      id: "ipc",
      title: "PUSH to PULL over ipc",
      metrics: flow,
      scenarios: each(FEWEST, pushPull("ipc")),
    },
    {
      id: "inproc",
      title: "PUSH to PULL over inproc, in one process",
      metrics: ["rate", "bothCpu", "delayP99"],
      scenarios: each(FEWEST, pushPull("inproc")),
    },
    {
      id: "req-rep",
      title: "REQ to REP over tcp, one round trip after the other",
      metrics: ["p50", "p99", "p999", "requestCpu"],
      scenarios: each([16, KB], (size) => ({
        name: sizeName(size),
        run: measure.reqRep,
        job: { size, warm: TRIPS_WARM, seconds: 2 },
        quick: size === 16,
        target: 0.6,
        floor: 0.6,
        also: [
          { metric: "p50", by: "node", of: "c", limit: 1 },
          { metric: "p99", by: "node", of: "native", limit: 0.6 },
          { metric: "p99", by: "node", of: "c", limit: 1 },
          ...others("p50"),
        ],
      })),
    },
    {
      id: "pub-sub",
      title: "PUB to many SUB, 16 B each, all deliveries counted",
      metrics: flow,
      scenarios: [[1, 200_000], [10, 40_000], [100, 5_000]].map((
        [peers, count],
      ) => ({
        name: peers === 1 ? "1 subscriber" : `${peers} subscribers`,
        run: measure.pubSub,
        job: { size: 16, peers, count },
        quick: peers === 10,
        counted: true,
      })),
    },
    {
      // A run of less than a second has a few dozen ticks: their p99 would be the longest.
      id: "timers",
      title: "Timers of a program that sends or receives all the time",
      metrics: ["delayP99", "delayMax"],
      scenarios: [
        ...[16, KB, MB, 16 * MB].map((size) => ({
          ...pushPull("tcp", { seconds: 4 })(size),
          name: `PUSH to PULL, ${sizeName(size)}`,
        })),
        {
          name: "PUB to 100 SUB, 16 B",
          run: measure.pubSub,
          job: { size: 16, peers: 100, count: 40_000 },
        },
      ].map((scenario) => ({
        ...scenario,
        atMost: 3,
        timed: true,
        without: "c",
        also: ["node", "deno", "bun"].map((by) => ({
          metric: "delayP99",
          by,
          limit: 20,
        })),
      })),
    },
    {
      id: "router-dealer",
      title: "ROUTER with many DEALER clients, round trips of 16 B",
      metrics: trips,
      scenarios: [1, 100, 1000].map((peers) => ({
        name: peers === 1 ? "1 client" : `${peers} clients`,
        run: measure.routerDealers,
        job: { size: 16, peers },
        quick: peers === 100,
      })),
    },
    {
      id: "proxy",
      title: "The same through a Router-Dealer proxy",
      metrics: trips,
      scenarios: [{
        name: "100 clients",
        run: measure.proxied,
        job: { size: 16, peers: 100 },
      }],
    },
    {
      id: "connections",
      title: "One PULL with many connections: idle, then all in use",
      metrics: [
        "rate",
        "memory",
        "clientMemory",
        "acceptTime",
        "idleCpu",
      ],
      scenarios: [1, 100, 1000, 10_000].map((peers) => ({
        name: String(peers),
        run: scale.connections,
        job: { peers },
        quick: peers === 100,
        atMost: 1,
      })),
    },
    {
      id: "subscriptions",
      title: "One XPUB with many subscriptions, then messages for all of them",
      metrics: ["rate", "memory", "subscribeTime"],
      scenarios: [1, 100, 10_000, 100_000].map((peers) => ({
        name: String(peers),
        run: scale.subscriptions,
        job: { peers },
        atMost: 1,
      })),
    },
    {
      id: "queue",
      title: "A long queue: filled, then drained",
      metrics: ["rate", "fillRate", "memory"],
      scenarios: [{
        name: "1 000 000 messages",
        run: scale.longQueue,
        job: { count: 1_000_000 },
        atMost: 1,
        counted: true,
      }],
    },
    {
      id: "start",
      title: "Start-up, and a process with one idle socket",
      metrics: ["bound", "process", "resident", "added"],
      scenarios: ["new", "cold", "warm"].map((files) => ({
        name: files,
        run: scale.startUp,
        job: { files },
        quick: files === "warm",
        // The first program after the installation is there to compare with the others.
        ...(files !== "new" && {
          target: 1,
          also: [{ metric: "resident", by: "node", of: "native", limit: 1.2 }],
        }),
      })),
    },
  ];
}
