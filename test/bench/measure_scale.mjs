// Scale and start-up, run once: what memory and time many of something cost.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { withPeers } from "./launch.mjs";

const BIND = "tcp://127.0.0.1:*";
const IDLE_MS = 1000;
/** Messages over all connections or topics. */
const ACTIVE = 100_000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resident bytes that `peer` has gained since, for each of `count`. */
function perItem(peer, before, count) {
  return (peer.look().memory - before.memory) / count;
}

export function connections(runtime, { peers }) {
  return withPeers(async (start) => {
    const count = Math.max(peers, Math.floor(ACTIVE / peers) * peers);
    const job = { peers, count, ...runtime.job };
    const server = start(runtime, { ...job, job: "gather", bind: BIND });
    const { address } = await server.next();
    const clients = start(runtime, {
      ...job,
      job: "scatter",
      connect: address,
    });
    const before = server.look();
    clients.tell();
    const { began } = await clients.next();
    const { all } = await server.next();
    const memory = perItem(server, before, peers);
    const clientMemory = clients.look().memory / peers;
    const quiet = [server, clients].map((peer) => peer.look().cpu);
    await pause(IDLE_MS);
    const idleCpu = server.look().cpu - quiet[0] + clients.look().cpu -
      quiet[1];
    clients.tell();
    const { result } = await server.next();
    return {
      rate: result.count / result.seconds,
      memory,
      clientMemory,
      acceptTime: (all - began) * 1000 / peers,
      idleCpu: idleCpu / (IDLE_MS / 1000),
    };
  });
}

export function subscriptions(runtime, { peers }) {
  return withPeers(async (start) => {
    const job = { peers, count: ACTIVE, ...runtime.job };
    const server = start(runtime, { ...job, job: "topics", bind: BIND });
    const { address } = await server.next();
    const before = server.look();
    const subscriber = start(runtime, {
      ...job,
      job: "subscribe",
      connect: address,
    });
    const { result: taken } = await server.next();
    const memory = perItem(server, before, peers);
    server.tell();
    const { result } = await subscriber.next();
    return {
      rate: result.count / result.seconds,
      memory,
      subscribeTime: taken.seconds * 1e6 / peers,
    };
  });
}

export function longQueue(runtime, { count }) {
  return withPeers(async (start) => {
    const job = { count, ...runtime.job };
    const drain = start(runtime, { ...job, job: "drain", bind: BIND });
    const { address } = await drain.next();
    const fill = start(runtime, { ...job, job: "fill", connect: address });
    await fill.next();
    const before = fill.look();
    fill.tell();
    const { result: filled } = await fill.next();
    const memory = perItem(fill, before, count);
    drain.tell();
    const { result: drained } = await drain.next();
    return {
      rate: drained.count / drained.seconds,
      fillRate: filled.count / filled.seconds,
      memory,
    };
  });
}

/** Makes the system forget the content of a package's files, so far as it obeys. */
function forget(folder) {
  for (const name of readdirSync(folder, { recursive: true })) {
    const file = join(folder, name);
    if (!statSync(file).isFile()) continue;
    try {
      execFileSync("dd", [`if=${file}`, "iflag=nocache", "count=0"], {
        stdio: "ignore",
      });
    } catch {
      return;
    }
  }
}

/**
 * `files`: "new" as after the installation, "cold" as after the system's start, "warm" as when
 * the program before was a moment ago.
 */
export async function startUp(runtime, { files }) {
  if (runtime.ours && runtime.folder) {
    // What our package keeps for the next process, on Node.
    const kept = join(runtime.folder, "dist", "cache");
    if (files === "new") rmSync(kept, { recursive: true, force: true });
    else if (!existsSync(kept)) {
      const job = { ...runtime.job, job: "idle", bind: BIND };
      await withPeers((start) => start(runtime, job).next());
    }
  }
  // The addon's program lies beside its JavaScript, and what loads it in another package.
  if (files === "cold" && runtime.job.package) {
    forget(runtime.folder ?? dirname(runtime.job.package));
  }
  const { memory: bare } = await withPeers(async (start) => {
    const job = runtime.job.package ? {} : { bind: BIND };
    const peer = start(runtime, { ...job, job: "idle" });
    await peer.next();
    return peer.look();
  });
  return await withPeers(async (start) => {
    const began = performance.now();
    const peer = start(runtime, { ...runtime.job, job: "idle", bind: BIND });
    const { bound } = await peer.next();
    const process = performance.now() - began;
    await pause(200);
    const { memory } = peer.look();
    return {
      bound,
      process,
      resident: memory,
      // The C program has no version of itself without the library.
      added: runtime.job.package ? memory - bare : undefined,
    };
  });
}
