/**
 * Conversations at random: sockets, transports, queues, sizes, pauses. Whatever they do, each
 * message arrives, in its order, and nobody waits for what is there.
 */
import { setImmediate } from "node:timers";
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import {
  Context,
  curveKeyPair,
  Dealer,
  type Message,
  Pair,
  Reply,
  Request,
  Router,
} from "zeromq-wasm";
import { bound, PATIENCE_MS, pause } from "../socket/tools.ts";
import { Random } from "../support/random.ts";

const PAIRS = [
  { client: Pair, server: Pair },
  { client: Dealer, server: Dealer },
  { client: Request, server: Reply },
  { client: Dealer, server: Router },
] as const;
const SIZES = [40, 5000, 40_000, 100_000];
const MARKS = [0, 1, 2, 5, 1000];
/** Clients of one server, which are a crowd. */
const MANY = 12;

const serverKeys = curveKeyPair(), clientKeys = curveKeyPair();
const SECURE = {
  server: { curveServer: true, curveSecretKey: serverKeys.secretKey },
  client: {
    curveServerKey: serverKeys.publicKey,
    curvePublicKey: clientKeys.publicKey,
    curveSecretKey: clientKeys.secretKey,
  },
};

const turn = () => new Promise((resolve) => void setImmediate(resolve));

/** Numbers at the begin of a frame of `size` bytes. */
function frame(size: number, ...numbers: number[]): Buffer {
  const bytes = Buffer.alloc(size, " ");
  bytes.write(numbers.join(" "));
  return bytes;
}

function numbersOf(bytes: Message): number[] {
  const text = Buffer.from(bytes.subarray(0, 30)).toString();
  return text.trim().split(" ").map(Number);
}

type Served = Dealer | Router | Reply | Pair;

/** Answers with as many messages as each one asks for, until one asks for none. */
async function serve(socket: Served): Promise<void> {
  for await (const message of socket) {
    const route = message.slice(0, -1);
    const [answers, size, id] = numbersOf(message.at(-1)!) as [
      number,
      number,
      number,
    ];
    if (answers === 0) return;
    for (let i = 0; i < answers; i++) {
      await (socket as Pair).send([...route, frame(size, id, i)] as never);
      if (id % 4 === 1) await turn();
      if (id % 4 === 2 && i % 3 === 0) await pause(1);
    }
  }
}

/** One conversation, of what the seed says. */
export async function converse(seed: number): Promise<void> {
  const random = new Random(seed);
  const once = (in_: number) => random.chance(1 / in_);
  const transport = random.pick(
    ["tcp", "tcp", "tcp", "ipc", "inproc"] as const,
  );
  const { client: Client, server: Server } = random.pick(PAIRS);
  const context = new Context();
  const other = transport === "inproc" || once(3) ? context : new Context();
  // A ROUTER drops what has no room.
  const mark = () => Server === Router ? 1000 : random.pick(MARKS);
  const options = (context: Context) => ({
    context,
    linger: 0,
    sendHighWaterMark: mark(),
    receiveHighWaterMark: mark(),
    sendTimeout: PATIENCE_MS,
    receiveTimeout: PATIENCE_MS,
  });
  const curve = transport !== "inproc" && once(3) ? SECURE : undefined;
  const server = new Server({ ...options(other), ...curve?.server });
  const isShared = Server === Router || Server === Reply;
  const clients = Array.from(
    { length: isShared && once(3) ? MANY : 1 },
    () => new Client({ ...options(context), ...curve?.client }) as Pair,
  );
  const what = `seed ${seed}: ${clients.length} ${Client.name} to ` +
    `${Server.name} over ${transport}` + (curve ? " with CURVE" : "");
  const address = await bound(server, transport);
  for (const client of clients) client.connect(address);
  let failure: Error | undefined;
  const served = serve(server).catch((error) => failure = error);
  const trips = random.pick([50, 500, 1500]) / clients.length;
  try {
    await Promise.all(clients.map(async (client, index) => {
      for (let id = 0; id < trips; id++) {
        if (failure) throw failure;
        await ask(client, id, new Random(seed, index, id), what);
      }
    }));
    await clients[0]!.send(frame(40, 0, 0, 0));
    await served;
    if (failure) throw failure;
  } catch (error) {
    const cause = failure ?? error;
    throw new Error(`${what}: ${cause}`, { cause });
  } finally {
    for (const client of clients) client.close();
    server.close();
  }
}

/** Asks for some answers, and looks at every byte of them. */
async function ask(
  client: Pair,
  id: number,
  random: Random,
  what: string,
): Promise<void> {
  const once = (in_: number) => random.chance(1 / in_);
  // A REQ gets one.
  const several = !(client instanceof Request) && once(10);
  const answers = several ? 1 + random.below(30) : 1;
  const size = once(12) ? random.pick(SIZES) : 40;
  await client.send(frame(once(20) ? 50_000 : 40, answers, size, id));
  if (once(6)) await turn();
  if (once(40)) await pause(1);
  for (let i = 0; i < answers; i++) {
    const [answer] = await client.receive();
    assert.equal(numbersOf(answer!), [id, i], what);
    assert.ok(frame(size, id, i).equals(answer!), what);
  }
}
