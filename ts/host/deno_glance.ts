/**
 * LAYER 1 on Deno: a turn of the event loop that asks the system what has arrived.
 *
 * While tasks wait, Deno's event loop asks the system only every 61 turns: going round with
 * `setImmediate` sees an answer no sooner than sleeping does, and a program that sends large
 * messages queued 390 MB of them before the first was written. But a byte that we send to
 * ourselves is I/O too: to wait for it asks the system, and does not sleep, because it is there
 * already. A bare ping-pong of 95 µs took 35 µs so.
 *
 * Where few connections stand that can be read past Deno (deno_direct.ts), a glance does that.
 *
 * Owns the connection to ourselves: opened when first needed, closed with the last other one.
 */
import { stateOf } from "./deno_permissions.ts";
import { standing } from "./deno_standing.ts";
import {
  deno,
  getRandomValues,
  globals,
  hasSeveralProcessors,
  now,
  queueMicrotask,
  release,
  setImmediate,
  setTimeout,
  setTimer,
} from "./deno_globals.ts";
import type { DenoConn } from "./deno_types.ts";

/** What does not stand within this time never will. */
const OPEN_MS = 1000;
const NONCE_BYTES = 16;
/** The system is asked this long after it was last asked; where only sleeping asks it, this. */
const ASK_MS = 1, SLEEP_MS = 10;

interface Mirror {
  readonly near: DenoConn;
  readonly far: DenoConn;
}

/** To read so many connections takes as long as to ask the system for all. */
const FEW = 6;

/**
 * They are read so often in a row: 1 µs each. A turn of the event loop leaves garbage, and the
 * threads that collect it take the processor from whoever is to answer.
 */
const TRIES = 8;

const byte = new Uint8Array(1);
const room = new Uint8Array(NONCE_BYTES);

let mirror: Mirror | undefined;
/** Whether it is being opened. */
let opening = false;
/** Whether it is not to be had: nobody tries again. */
let refused = false;

/** What runs after the glance that is under way. */
let tasks: (() => void)[] = [];
/** When the system was last asked, by a glance or by sleeping. */
let last = 0;

/** `Host.glance`. */
export function glance(task: () => void): boolean {
  if (!hasSeveralProcessors()) return false;
  const { size } = standing;
  if (size === 0 || size > FEW || !standing.areDirect) return ask(task);
  setImmediate(() => {
    let arrived = false;
    for (let i = 0; i < TRIES && !arrived; i++) arrived = standing.readNow();
    // What has arrived is for the program first, which goes on in microtasks; ticks that wait
    // already would come before these.
    if (arrived) queueMicrotask(() => globals.process.nextTick(task));
    else task();
  });
  return true;
}

/** `Host.later`. A glance takes as long as 7 turns without one: not each turn needs one. */
export function later(task: () => void): void {
  const time = now();
  if (time - last >= ASK_MS && ask(task)) return;
  // To open the mirror takes some answers of the system, too.
  if (standing.size > 0 && (opening || time - last >= SLEEP_MS)) {
    last = time;
    setTimeout(task, 0);
  } else setImmediate(task);
}

/** Runs `task` when the system was asked; false if it cannot be, or not yet. */
function ask(task: () => void): boolean {
  if (mirror === undefined) {
    if (!opening && !refused && standing.size > 0) void open();
    return false;
  }
  if (tasks.push(task) > 1) return true;
  last = now();
  mirror.near.write(byte).catch(() => {}); // then the read fails too
  mirror.far.read(room).then(seen, seen);
  return true;
}

/** What has arrived together with the byte comes first: it is all the news. */
function seen(): void {
  globals.process.nextTick(() => {
    const due = tasks;
    tasks = [];
    for (const task of due) task();
  });
}

async function open(): Promise<void> {
  // No question to the user for this.
  refused = stateOf({ name: "net" }) !== "granted";
  if (refused) return;
  opening = true;
  try {
    mirror = await connectToSelf();
  } catch {
    refused = true; // without it everything works, less fast
    return;
  } finally {
    opening = false;
  }
  standing.whenEmpty(() => {
    const { near, far } = mirror!;
    mirror = undefined;
    release(near);
    release(far);
  });
}

async function connectToSelf(): Promise<Mirror> {
  // An abstract name, where there are such, is no file and takes half the time of tcp.
  const name = [...drawNonce()].map((byte) => byte.toString(16)).join("-");
  const path = `\0zeromq-wasm-${name}`;
  const unix = deno.build.os === "linux";
  const listener = unix
    ? deno.listen({ transport: "unix", path })
    : deno.listen({ hostname: "127.0.0.1", port: 0 });
  const made: { close(): void }[] = [listener];
  let over = false;
  const giveUp = () => {
    over = true;
    made.forEach(release);
  };
  const limit = setTimer(giveUp, OPEN_MS);
  try {
    const keep = (conn: DenoConn) => {
      made.push(conn);
      if (over) release(conn); // it came too late
      conn.setNoDelay?.(true);
      return conn;
    };
    const [near, far] = await Promise.all([
      deno.connect(
        unix
          ? { transport: "unix", path }
          : { hostname: "127.0.0.1", port: listener.addr.port! },
      ).then(keep),
      listener.accept().then(keep),
    ]);
    await confirm(near, far);
    release(listener);
    return { near, far };
  } catch (cause) {
    giveUp();
    throw cause;
  } finally {
    limit.cancel();
  }
}

const drawNonce = () => getRandomValues(new Uint8Array(NONCE_BYTES));

/** Throws unless what `near` says comes out of `far`: anybody may connect to a listener. */
async function confirm(near: DenoConn, far: DenoConn): Promise<void> {
  const nonce = drawNonce();
  await near.write(nonce);
  const size = await far.read(room);
  if (size !== NONCE_BYTES || room.some((byte, i) => byte !== nonce[i])) {
    throw new Error("somebody else has connected");
  }
}
