/** Nonsense as arguments of the API: an error or a result, never a hang or a dead context. */
import * as zmq from "zeromq-wasm";
import { Certificate, z85Decode, z85Encode } from "zeromq-wasm/auth";
import { pause, within } from "../socket/tools.ts";
import { Random } from "../support/random.ts";

const SOCKETS = [
  ...[zmq.Pair, zmq.Publisher, zmq.Subscriber, zmq.Request, zmq.Reply],
  ...[zmq.Dealer, zmq.Router, zmq.Pull, zmq.Push, zmq.XPublisher],
  ...[zmq.XSubscriber, zmq.Stream, zmq.draft.Server, zmq.draft.Client],
  ...[zmq.draft.Radio, zmq.draft.Dish, zmq.draft.Gather, zmq.draft.Scatter],
] as unknown as (new (options: object) => zmq.Socket)[];

function value(random: Random): unknown {
  return random.pick<() => unknown>([
    () => random.below(100) - 50,
    () => random.pick([0, -1, -0, NaN, Infinity, -Infinity, 1e300, 0.5]),
    () => random.pick([2 ** 31, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 2 ** 63]),
    () => random.text(random.pick([10, 300, 5000])),
    () => random.bytes(random.size(3000)),
    () => zmq.curveKeyPair().publicKey,
    () => random.pick([true, false, null, undefined, {}, [], 1n, Symbol("x")]),
    () => () => {},
    () => new ArrayBuffer(random.below(100)),
    () => new Uint16Array(random.below(100)),
    () => ({ length: random.pick([-1, 5, 2 ** 40]), 0: "x" }),
    () => [random.text(20), random.bytes(random.size(100)), random.below(9)],
  ])();
}

function endpoint(random: Random): unknown {
  if (random.chance(0.1)) return value(random);
  const scheme = random.pick([
    ...["tcp", "ipc", "inproc", "ws", "udp", "wss", "pgm", "epgm", "tipc"],
    ...["vmci", "norm", "TCP", "", random.text(10)],
  ]);
  const host = random.pick([
    ...["127.0.0.1", "*", "[::1]", "localhost", "lo", "0.0.0.0", "[::", "[]"],
    ...["127.0.0.1;127.0.0.1", "::", "1.2.3.4.5", "@x", "[::1%lo]", ""],
    random.text(300),
  ]);
  const port = random.pick([
    ...[":*", ":0", ":1", ":!", ":65536", ":-1", ":99999999999", ":", ""],
    ...[":1x", ":0x10", "::1", random.text(10)],
  ]);
  // Nothing of a test goes to the file system but where it may.
  const name = scheme === "ipc"
    ? random.pick(["*", "@", `@${random.text(200)}`, "/dev/null/x", ""])
    : host + port;
  return random.pick([
    `${scheme}://${name}`,
    `${scheme}://${name}`,
    scheme === "ipc" ? "ipc:" : `${scheme}:${name}`,
  ]);
}

/** Calls, and takes what comes; a promise must settle unless it may wait for others. */
async function attempt(call: () => unknown, waits = false): Promise<void> {
  try {
    const result = call();
    if (!(result instanceof Promise)) return;
    result.catch(() => {});
    if (waits) await Promise.race([result, pause(1)]);
    else await within(result, `${call} settles`);
  } catch (error) {
    const { message } = error as Error;
    if (
      !(error instanceof Error) || /libzmq failed|nothing within/.test(message)
    ) {
      throw error;
    }
  }
}

export async function apiRound(seed: number, round: number): Promise<void> {
  const random = new Random(seed, round, 1);
  const context = new zmq.Context({ blocky: false });
  const sockets: zmq.Socket[] = [];
  const names = (of: object) => {
    const out: string[] = [];
    for (let at = of; at && at !== Object.prototype;) {
      out.push(...Object.getOwnPropertyNames(at));
      at = Object.getPrototypeOf(at);
    }
    return out.filter((name) => !["constructor", "close"].includes(name));
  };
  for (let i = 0; i < 4; i++) {
    const socket = new (random.pick(SOCKETS))({ context, linger: 0 });
    sockets.push(socket);
    const any = socket as unknown as Record<string, unknown>;
    const known = names(socket);
    for (let n = 0; n < 60; n++) {
      const name = random.pick(known);
      const argument = value(random), other = value(random);
      await random.pick<() => Promise<void>>([
        () => attempt(() => any[name] = argument),
        () => attempt(() => socket.connect(endpoint(random) as string)),
        () => attempt(() => socket.disconnect(endpoint(random) as string)),
        () => attempt(() => socket.bind(endpoint(random) as string)),
        () => attempt(() => socket.unbind(endpoint(random) as string)),
        () =>
          attempt(() => {
            const member = any[name];
            if (typeof member !== "function") return;
            return member.call(socket, argument, other);
          }, true),
        () =>
          attempt(() => {
            const send = any["send"];
            if (typeof send !== "function") return;
            return send.call(socket, argument, other);
          }, true),
      ])();
    }
  }
  for (let n = 0; n < 20; n++) {
    const [a, b] = [value(random), value(random)];
    const text = random.text(300);
    await attempt(() => z85Decode(a as string));
    await attempt(() => z85Decode(text));
    await attempt(() => z85Encode(a as Uint8Array));
    await attempt(() => zmq.curvePublicKey(a as string));
    await attempt(() => zmq.curvePublicKey(text.slice(0, 40)));
    const any = Certificate as unknown as Record<string, unknown>;
    for (const name of Object.getOwnPropertyNames(Certificate)) {
      // Files are not ours to write.
      if (!/parse|from/i.test(name) || /file/i.test(name)) continue;
      const member = any[name];
      if (typeof member !== "function") continue;
      await attempt(() => member.call(Certificate, a, b));
      await attempt(() => member.call(Certificate, `metadata\n${text}`));
    }
    await attempt(() => new zmq.Context({ maxSockets: a as number }));
  }
  // The context still works.
  const pull = new zmq.Pull({ context }), push = new zmq.Push({ context });
  await pull.bind("inproc://after");
  push.connect("inproc://after");
  await push.send("honest");
  await within(pull.receive(), "the context works");
  for (const socket of [pull, push, ...sockets]) {
    // Whatever it was set to, the process need not wait.
    if (!socket.closed) socket.linger = 0;
    socket.close();
  }
}
