/**
 * Verifies at the end of a suite that nothing of the library is left behind:
 *  - sockets (connections, listeners): the system's own list of this process;
 *  - timers, referenced or not: every one set through globalThis is followed;
 *  - what the default context holds, its memory included (`context.resources`).
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import type { suite } from "uvu";
import { context, Pair } from "zeromq-wasm";
import { until } from "./deadline.ts";
import { stopPeers } from "./peer.ts";

type Suite = ReturnType<typeof suite>;
type Timer = ReturnType<typeof setTimeout>;

/** Where each timer that has not fired or been cleared was set. */
const timers = new Map<unknown, string>();

/** Closing takes some turns of the event loop. */
const CLOSING_MS = 10_000;
/** When a process ends at the latest that has left something. */
const EXIT_MS = 30_000;
/** libzmq keeps one spare chunk per queue, so usage is not the same to the byte. */
const HEAP_SLACK = 16 * 1024;
/** So far apart are the numbers of two sockets that were made in one call. */
const NEAR = 16;

function followTimers(): void {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  type Set = (task: (...args: unknown[]) => void, ...rest: unknown[]) => Timer;
  const follow = (set: Set, repeats: boolean): Set => (task, ...rest) => {
    const timer = set((...args) => {
      if (!repeats) timers.delete(timer);
      task(...args);
    }, ...rest);
    const trace = new Error().stack ?? "";
    timers.set(timer, trace.split("\n").slice(2, 6).join("\n"));
    return timer;
  };
  const forget = (clear: (timer?: Timer) => void) => (timer?: Timer) => {
    timers.delete(timer);
    clear(timer);
  };
  Object.assign(globalThis, {
    setTimeout: follow(setTimeout as unknown as Set, false),
    setInterval: follow(setInterval as unknown as Set, true),
    clearTimeout: forget(clearTimeout),
    clearInterval: forget(clearInterval),
  });
}

followTimers();

/** The system's lines about sockets: addresses, and states as numbers; by inode. */
function socketTable(): Map<number, string> {
  const table = new Map<number, string>();
  for (const [kind, at] of [["tcp", 9], ["tcp6", 9], ["unix", 6]] as const) {
    const lines = readFileSync(`/proc/self/net/${kind}`, "latin1").split("\n");
    for (const line of lines) {
      table.set(Number(line.trim().split(/\s+/)[at]), line);
    }
  }
  return table;
}

/** In words; a pair of sockets in this process is the runtime's, for signals. */
function describe(sockets: Set<number>): string[] {
  const table = socketTable();
  const unnamed = (inode: number) =>
    sockets.has(inode) && /: (\S+ +){5}\d+$/.test(table.get(inode) ?? "");
  // Between their numbers can be those of other processes, which open sockets meanwhile.
  const [one, two, ...more] = [...sockets].filter(unnamed);
  const isPair = more.length === 0 && Math.abs(one! - two!) <= NEAR;
  return [...sockets]
    .filter((it) => !(isPair && unnamed(it)))
    .map((it) => `an open socket: ${table.get(it) ?? it}`);
}

/** Open sockets of this process by inode; the list itself is none of them. */
function openSockets(): Set<number> {
  const found = new Set<number>();
  let names: string[] = [];
  try {
    names = readdirSync("/proc/self/fd");
  } catch {
    // Not Linux: there is no such list.
  }
  for (const name of names) {
    try {
      const target = readlinkSync(`/proc/self/fd/${name}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target);
      if (inode) found.add(Number(inode[1]));
    } catch {
      // Closed meanwhile.
    }
  }
  return found;
}

/** What is there now. */
function census() {
  return {
    sockets: openSockets(),
    timers: new Set(timers.keys()),
    held: context.resources,
  };
}

type Census = ReturnType<typeof census>;

/** What is there now and was not before, in words. */
function extras(before: Census): string[] {
  const now = census();
  const found: string[] = [];
  const sockets = new Set(
    [...now.sockets].filter((it) => !before.sockets.has(it)),
  );
  if (sockets.size > 0) found.push(...describe(sockets));
  for (const timer of now.timers) {
    if (!before.timers.has(timer)) {
      found.push(`a timer set\n${timers.get(timer)}`);
    }
  }
  const { heap, ...counts } = now.held;
  for (const key of ["sockets", "connections", "listeners"] as const) {
    const more = counts[key] - before.held[key];
    if (more > 0) found.push(`${more} ${key} of the context`);
  }
  const grown = heap - before.held.heap;
  if (grown > HEAP_SLACK) found.push(`${grown} bytes of the module's memory`);
  return found;
}

/** Waits until there is no more than before; what remained nevertheless. */
async function settle(before: Census): Promise<string[]> {
  let left: string[] = [];
  const done = () => (left = extras(before)).length === 0;
  await until(done, "nothing left", CLOSING_MS).catch(() => {});
  return left;
}

/** What the module and the runtime allocate once, by a first use of everything. */
async function warmUp(): Promise<void> {
  const pairs = [new Pair({ linger: 0 }), new Pair({ linger: 0 })] as const;
  await pairs[0].bind("tcp://127.0.0.1:*");
  pairs[1].connect(pairs[0].lastEndpoint!);
  await pairs[1].send("warm");
  await pairs[0].receive();
  for (const pair of pairs) pair.close();
}

/**
 * Adds a last test to the suite that fails if the others have left something behind.
 * Call it before the suite's own `before`. Python peers are ended first, and `end`
 * is called to close what the suite itself kept open.
 */
export function checkLeaks(test: Suite, end: () => unknown = () => {}): void {
  let before: Census;
  test.before(async () => {
    const cold = census();
    await warmUp();
    const left = await settle(cold);
    if (left.length > 0) {
      // Here, because uvu does not tell why a hook failed.
      console.error(`always left: ${left.join("\n")}`);
      throw new Error("the first use of everything left something");
    }
    before = census();
  });
  const { run } = test;
  test.run = () => {
    test("leaves nothing behind", async () => {
      await end();
      await stopPeers();
      const left = await settle(before);
      if (left.length === 0) return;
      // What is left may keep the process alive; uvu has said all by then.
      const exit = setTimeout(() => process.exit(1), EXIT_MS) as {
        unref?(): void;
      };
      exit.unref?.();
      throw new Error(`left behind: ${left.join("\n")}`);
    });
    run();
  };
}
