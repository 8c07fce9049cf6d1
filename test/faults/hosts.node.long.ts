/**
 * Two hosts and a bad network between them: what is lost and late comes all the same,
 * and heartbeats tell in time when nothing comes. Needs root and network namespaces.
 */
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { until } from "../socket/tools.ts";
import { type Cable, CUT, FINE, Network } from "./network.ts";

let network: Network | undefined;
try {
  if (process.getuid!() !== 0) throw new Error("only root may make hosts");
  network = await Network.make();
  console.log(`note: packets are carried by ${network.by}`);
} catch (error) {
  console.log(`note: skipped: ${(error as Error).message}`);
}

const INTERVAL = 200, TIMEOUT = 1000;
/** What a busy machine may add to the time that a heartbeat is due. */
const SLACK = 1500;

// The time to live is for a sender whose output is full: its PING does not get out, so
// that it waits for no PONG (the engine of libzmq is so), but it misses the peer's PING.
const HEARTBEATS = `{
  heartbeatInterval: ${INTERVAL}, heartbeatTimeout: ${TIMEOUT}, heartbeatTimeToLive: ${TIMEOUT},
  linger: 0, reconnectInterval: 100, connectTimeout: 1000, handshakeInterval: 2000,
}`;
const WATCH = `
  for (const type of ["disconnect", "handshake"]) {
    socket.events.on(type, () => say({ type }));
  }`;
const SENDER = (to: string) => `
  const socket = new z.Push(${HEARTBEATS});
  ${WATCH}
  socket.connect(${JSON.stringify(to)});
  for (let n = 0;; n++) {
    await socket.send([String(n), Buffer.alloc(n * 37 % 3000, n % 251)]);
    if (n % 5 === 0) await new Promise((done) => setTimeout(done, 2));
    if (n % 50 === 0) say({ sent: n });
  }`;
const RECEIVER = (at: string) => `
  const socket = new z.Pull(${HEARTBEATS});
  ${WATCH}
  await socket.bind(${JSON.stringify(at)});
  say({ type: "bound" });
  let last = -1, count = 0;
  for await (const [number, body] of socket) {
    const n = Number(String(number));
    if (!(n > last)) say({ fault: n + " after " + last });
    if (!body.equals(Buffer.alloc(n * 37 % 3000, n % 251))) say({ fault: n + " is torn" });
    last = n;
    if (++count % 50 === 0) say({ last, count });
  }`;

/** A sender and a receiver on their hosts, and what they said. */
class Talk {
  readonly programs: { end(): Promise<unknown> }[] = [];
  readonly said: [Record<string, unknown>[], Record<string, unknown>[]] = [
    [],
    [],
  ];
  sent = 0;
  last = -1;
  count = 0;

  async start({ run, addresses }: Network, port: number): Promise<void> {
    const endpoint = `tcp://${addresses[1]}:${port}`;
    for (const host of [1, 0] as const) {
      const code = host === 1 ? RECEIVER(endpoint) : SENDER(endpoint);
      this.programs.push(run.call(network, host, code, (said) => {
        if ("type" in said || "fault" in said) this.said[host].push(said);
        this.sent = Number(said.sent ?? this.sent);
        this.last = Number(said.last ?? this.last);
        this.count = Number(said.count ?? this.count);
      }));
      if (host === 1) {
        await until(() => this.when(1, "bound").length > 0, "bind");
      }
    }
    await this.flows("at first");
  }

  async flows(what: string): Promise<void> {
    const { sent } = this;
    await until(() => this.last > sent + 100, `messages ${what}`);
    for (const { fault } of this.said[1]) assert.is(fault, undefined);
  }

  when(host: 0 | 1, type: string): number[] {
    return this.said[host].filter((said) => said.type === type)
      .map(({ at }) => Number(at));
  }

  async stop(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.end()));
  }
}

const test = suite("hosts");
const with_hosts = (
  name: string,
  run: (net: Network, talk: Talk) => Promise<void>,
) =>
  (network ? test : test.skip)(name, async () => {
    const talk = new Talk();
    try {
      await network!.set(FINE, FINE);
      await run(network!, talk);
    } finally {
      await talk.stop();
    }
  });
test.after(() => network?.close());

const BAD: Cable = { loss: 0.05, delay: 20 };

with_hosts(
  "messages come in order and whole where packets are lost and late",
  async (net, talk) => {
    await net.set(BAD, BAD);
    await talk.start(net, 5701);
    for (let i = 0; i < 5; i++) await talk.flows("in spite of it");
    assert.is(talk.when(0, "disconnect").length, 0, "no heartbeat is missed");
    assert.is(talk.count, talk.last + 1, "none is missing");
  },
);

const PARTITIONS: [string, Cable, Cable][] = [
  ["both directions", CUT, CUT],
  ["one direction", CUT, FINE],
  ["the other direction", FINE, CUT],
];
PARTITIONS.forEach(([what, there, back], i) => {
  with_hosts(
    `heartbeats find a partition in ${what}, and recovery is complete`,
    async (net, talk) => {
      await talk.start(net, 5702 + i);
      for (let round = 1; round <= 2; round++) {
        const cut = Date.now();
        await net.set(there, back);
        for (const host of [0, 1] as const) {
          await until(
            () => talk.when(host, "disconnect").some((at) => at >= cut),
            `the disconnection of host ${host}`,
          );
          const took = talk.when(host, "disconnect").find((at) => at >= cut)! -
            cut;
          assert.ok(
            took > TIMEOUT - INTERVAL - 100 &&
              took < TIMEOUT + INTERVAL + SLACK,
            `host ${host} noticed after ${took} ms`,
          );
        }
        const healed = Date.now();
        await net.set(FINE, FINE);
        await until(
          () => talk.when(0, "handshake").some((at) => at >= healed),
          "connected again",
        );
        await talk.flows("after the partition");
      }
    },
  );
});

test.run();
