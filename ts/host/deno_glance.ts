/**
 * LAYER 1 on Deno: a turn of the event loop that asks the system what has arrived.
 *
 * While tasks wait, Deno's event loop asks the system only every 61 turns: going round with
 * `setImmediate` sees an answer no sooner than sleeping does. But a byte that we send to
 * ourselves is I/O too: to wait for it asks the system, and does not sleep, because it is there
 * already. A bare ping-pong of 95 µs took 35 µs so.
 *
 * Owns the connection to ourselves: opened when first needed, closed with the last other one.
 */
import { stateOf } from "./deno_permissions.ts";
import { deno, globals, release, setTimer, standing } from "./deno_stream.ts";
import type { DenoConn } from "./deno_types.ts";

/** What does not stand within this time never will. */
const OPEN_MS = 1000;
const NONCE_BYTES = 16;

interface Mirror {
  readonly near: DenoConn;
  readonly far: DenoConn;
}

const byte = new Uint8Array(1);
const room = new Uint8Array(NONCE_BYTES);

let mirror: Mirror | undefined;
/** Whether it is being opened, or not to be had: nobody tries again. */
let tried = false;

/** What runs after the glance that is under way. */
let tasks: (() => void)[] = [];

/** `Host.glance`. */
export function glance(task: () => void): boolean {
  if (mirror === undefined) {
    if (!tried && standing.size > 0) void open();
    return false;
  }
  if (tasks.push(task) > 1) return true;
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
  tried = true;
  // One processor: whoever is to answer needs it. And no question to the user for this.
  if (globals.navigator.hardwareConcurrency < 2) return;
  if (stateOf({ name: "net" }) !== "granted") return;
  try {
    mirror = await connectToSelf();
  } catch {
    return; // without it everything works, less fast
  }
  tried = false;
  standing.whenEmpty(() => {
    const { near, far } = mirror!;
    mirror = undefined;
    release(near);
    release(far);
  });
}

async function connectToSelf(): Promise<Mirror> {
  // An abstract name, where there are such, is no file and takes half the time of tcp.
  const path = `\0zeromq-wasm-${globalThis.crypto.randomUUID()}`;
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
      conn.unref();
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

/** Throws unless what `near` says comes out of `far`: anybody may connect to a listener. */
async function confirm(near: DenoConn, far: DenoConn): Promise<void> {
  const nonce = globalThis.crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  await near.write(nonce);
  const size = await far.read(room);
  if (size !== NONCE_BYTES || room.some((byte, i) => byte !== nonce[i])) {
    throw new Error("somebody else has connected");
  }
}
