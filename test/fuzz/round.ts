/** One round: many hostile peers at some sockets, then honest ones, then nothing is left. */
import {
  connect,
  createServer,
  type NetConnectOpts,
  type Server,
  type Socket as Tcp,
} from "node:net";
import { Context, Reply } from "zeromq-wasm";
import { freshPath, pause, until, within } from "../socket/tools.ts";
import { curveAttack } from "./curve.ts";
import { Random } from "../support/random.ts";
import { hostile } from "./sessions.ts";
import { HANDSHAKE_MS, Target, TYPE_COUNT } from "./targets.ts";

/** Sockets attacked at once; hostile peers of each, that connect to it and that it connects to. */
const TARGETS = 5, CLIENTS = 12, SERVERS = 2;
/** What libzmq may keep for later of what a round took. */
const HEAP_SLACK = 512 * 1024;

// Small, so that what peers announce often reaches the limit.
const contexts = [
  new Context({ memoryLimit: 64 * 2 ** 20 }),
  new Context(),
] as const;
const handler = new Reply({ context: contexts[0], linger: 0 });

/** Answers libzmq's questions who may come in; ends with the process. */
async function guard(): Promise<void> {
  await handler.bind("inproc://zeromq.zap.01");
  void (async () => {
    for await (const [version, id, , , , mechanism, name] of handler) {
      const ok = String(mechanism) !== "PLAIN" || String(name) === "honest";
      await handler.send([version!, id!, ok ? "200" : "400", "", "", ""]);
    }
  })();
}
let guarded: Promise<void> | undefined;

let heapAtFirst: number | undefined;

/** Says a session's parts, cut anywhere, and goes in one of the ways to go. */
async function attack(
  random: Random,
  socket: Tcp,
  { wants, knowledge }: Pick<Target, "wants" | "knowledge">,
): Promise<void> {
  const speaks = knowledge && random.chance(0.6);
  const session = speaks ? [] : hostile(random, wants);
  const slow = random.chance(0.3);
  const end = random.below(4);
  const cuts = random.chance(0.3);
  socket.on("error", () => {}).resume();
  const gone = new Promise<void>((resolve) => socket.once("close", resolve));
  if (speaks) {
    const patience = pause(HANDSHAKE_MS);
    await Promise.race([curveAttack(random, socket, knowledge), patience]);
  }
  for (let part of session) {
    while (part.length > 0 && !socket.destroyed) {
      const size = cuts ? 1 + random.size(part.length) : part.length;
      socket.write(part.subarray(0, size));
      part = part.subarray(size);
      if (slow) await pause(random.below(5));
    }
    if (random.chance(0.3)) await pause(1);
  }
  if (end === 0) socket.end();
  else if (end === 1 && socket.remotePort) socket.resetAndDestroy();
  else await Promise.race([gone, pause(random.below(HANDSHAKE_MS))]);
  socket.destroy();
}

function addressOf(endpoint: string): NetConnectOpts {
  if (endpoint.startsWith("ipc://")) return { path: endpoint.slice(6) };
  const [, host, port] = /\/\/([\d.]+):(\d+)/.exec(endpoint)!;
  return { host: host!, port: Number(port) };
}

/** A server that says hostile things to whoever connects. */
async function lure(
  random: Random,
  done: Promise<void>[],
  target: Target,
): Promise<Server> {
  const server = createServer((socket) => {
    if (done.length < 200) done.push(attack(random, socket, target));
    else socket.destroy();
  });
  const path = random.chance(0.3) ? freshPath() : undefined;
  await new Promise<void>((resolve) =>
    path ? server.listen(path, resolve) : server.listen(0, "127.0.0.1", resolve)
  );
  return server;
}

/** Throws when something is wrong after the round. */
export async function networkRound(seed: number, round: number): Promise<void> {
  const random = new Random(seed, round);
  const [context, honest] = contexts;
  await (guarded ??= guard());
  const targets: Target[] = [];
  const servers: Server[] = [];
  const attacks: Promise<void>[] = [];
  try {
    const bound: string[] = [];
    for (let i = 0; i < TARGETS; i++) {
      const target = new Target(
        (round * TARGETS + i) % TYPE_COUNT,
        random,
        context,
      );
      targets.push(target);
      const endpoint = await target.bind(random);
      bound.push(endpoint);
      for (let n = 0; n < CLIENTS; n++) {
        // A random of its own each, or their order would be a matter of luck.
        const own = new Random(random.below(2 ** 31));
        attacks.push(
          attack(
            own,
            connect(addressOf(endpoint)),
            {
              wants: target.wants,
              knowledge: target.knowledge &&
                { ...target.knowledge, ws: endpoint.startsWith("ws") },
            },
          ),
        );
      }
      for (let n = 0; n < SERVERS; n++) {
        const server = await lure(
          new Random(random.below(2 ** 31)),
          attacks,
          target,
        );
        servers.push(server);
        const address = server.address()!;
        const lured = typeof address === "string"
          ? `ipc://${address}`
          : `${random.pick(["tcp", "tcp", "ws"])}://127.0.0.1:${address.port}`;
        if (!lured.startsWith("ws") || !/^Stream/.test(target.name)) {
          target.socket.connect(lured);
        }
        // For a while only: it must not be what an honest message goes to.
        attacks.push(
          pause(300).then(() => target.socket.disconnect(lured)).catch(
            () => {},
          ),
        );
      }
    }
    for (let before = -1; before < attacks.length;) {
      before = attacks.length;
      await within(Promise.all(attacks), "the hostile peers are done");
    }
    await Promise.all(
      targets.map((target, i) => target.serve(bound[i]!, honest)),
    );
    for (const { fault } of targets) if (fault) throw new Error(fault);
  } finally {
    for (const { socket } of targets) socket.close();
    for (const server of servers) server.close();
  }
  await until(() => {
    const { sockets, connections, listeners } = context.resources;
    return sockets === 1 && connections + listeners === 0;
  }, "all is released");
  const { heap } = context.resources;
  heapAtFirst ??= heap;
  if (heap > heapAtFirst + HEAP_SLACK) {
    throw new Error(`grew: ${heapAtFirst} to ${heap}`);
  }
}

/** After the last round. */
export function dismiss(): void {
  handler.close();
}
