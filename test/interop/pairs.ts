/**
 * Every pair of socket types that may talk to each other, ours at either end, either
 * end binding, over tcp and ipc: what pairs_*.test.ts run with each mechanism.
 */
import { curveKeyPair } from "zeromq-wasm";
import { pause, within } from "../support/deadline.ts";
import {
  anywhere,
  type End,
  type Keys,
  type Mechanism,
  Ours,
  ourSecurity,
  same,
  Theirs,
  theirSecurity,
  type TypeName,
} from "../support/ends.ts";
import { checkLeaks } from "../support/leaks.ts";
import { Peer } from "../support/peer.ts";
import { interopSuite } from "../support/python.ts";
import { ZapHandler, type ZapRequest } from "../support/zap.ts";

/** Lets end `a` and end `b` talk; `connecter` is the one that connected. */
type Talk = (a: End, b: End, connecter: End, what: string) => Promise<void>;

const requestReply: Talk = async (a, b, _, what) => {
  for (const question of ["first", "second"]) {
    await a.send([question, "", "?"]);
    same(await b.receive(), [question, "", "?"], `${what}: request`);
    await b.send(["answer to", question]);
    same(await a.receive(), ["answer to", question], `${what}: reply`);
  }
};

const requestRouter: Talk = async (a, b, _, what) => {
  for (const question of ["first", "second"]) {
    await a.send([question]);
    const [id, ...rest] = await b.receive();
    same(rest, ["", question], `${what}: request`);
    await b.send([id!, "", "answer to", question]);
    same(await a.receive(), ["answer to", question], `${what}: reply`);
  }
};

const dealerReply: Talk = async (a, b, _, what) => {
  // No need to take turns: replies come in the order of the requests.
  await a.send(["", "first"]);
  await a.send(["", "second"]);
  for (const question of ["first", "second"]) {
    same(await b.receive(), [question], `${what}: request`);
    await b.send([`answer to ${question}`, ""]);
  }
  for (const question of ["first", "second"]) {
    const reply = ["", `answer to ${question}`, ""];
    same(await a.receive(), reply, `${what}: reply`);
  }
};

const dealerRouter: Talk = async (a, b, _, what) => {
  await a.send(["first", ""]);
  await a.send(["second"]);
  const [id, ...first] = await b.receive();
  same(first, ["first", ""], `${what}: first`);
  same((await b.receive()).slice(1), ["second"], `${what}: second`);
  for (const body of ["", "x"]) {
    await b.send([id!, body]);
    same(await a.receive(), [body], `${what}: back`);
  }
};

const bothWays: Talk = async (a, b, _, what) => {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    for (const n of ["1", "2", "3"]) await from.send([n, "", n]);
    for (const n of ["1", "2", "3"]) same(await to.receive(), [n, "", n], what);
  }
};

const routers: Talk = async (a, b, connecter, what) => {
  const binder = connecter === a ? b : a;
  await connecter.send(["peer", "hello"]);
  const [id, ...hello] = await binder.receive();
  same(hello, ["hello"], `${what}: to the binder`);
  await binder.send([id!, "", "welcome"]);
  const welcome = ["peer", "", "welcome"];
  same(await connecter.receive(), welcome, `${what}: to the connecter`);
};

const oneWay: Talk = async (a, b, _, what) => {
  const jobs = [["1"], ["2", ""], ["", "3"], ["4", "", "4"]];
  for (const job of jobs) await a.send(job);
  for (const job of jobs) same(await b.receive(), job, what);
};

/** `told`: the publisher receives subscriptions. */
const publish = (told: boolean): Talk => async (a, b, _, what) => {
  await b.subscribe("topic");
  // Native libzmq, too, does nothing for a socket that nobody uses: a SUB that has
  // accepted a connection subscribes there once it receives.
  let heard = false;
  const first = b.receive().finally(() => heard = true);
  first.catch(() => {});
  if (told) same(await a.receive(), ["\x01topic"], `${what}: subscription`);
  else {
    // A PUB does not say when the subscription has arrived.
    while (!heard) {
      await a.send(["topic?"]);
      await pause(2);
    }
  }
  await a.send(["other", "not wanted"]);
  await a.send(["topic", "", "wanted"]);
  let message = await first;
  while (message[0]!.toString() === "topic?") message = await b.receive();
  same(message, ["topic", "", "wanted"], what);
  if (!told) return;
  await b.subscribe("topic", false);
  same(await a.receive(), ["\0topic"], `${what}: end of subscription`);
};

const PAIRS: [a: TypeName, b: TypeName, talk: Talk][] = [
  ["REQ", "REP", requestReply],
  ["REQ", "ROUTER", requestRouter],
  ["DEALER", "REP", dealerReply],
  ["DEALER", "ROUTER", dealerRouter],
  ["DEALER", "DEALER", bothWays],
  ["ROUTER", "ROUTER", routers],
  ["PUB", "SUB", publish(false)],
  ["XPUB", "SUB", publish(true)],
  ["PUB", "XSUB", publish(false)],
  ["XPUB", "XSUB", publish(true)],
  ["PUSH", "PULL", oneWay],
  ["PAIR", "PAIR", bothWays],
];

/** A suite of all pairs with one mechanism; the end that binds is its server. */
export function pairSuite(mechanism: Mechanism): void {
  const test = interopSuite(mechanism);
  let zap: ZapHandler | undefined;
  checkLeaks(test, () => zap?.close());
  let peer: Peer;
  test.before(async () => {
    peer = await Peer.start();
    if (mechanism !== "PLAIN") return;
    // Unlike the others, a PLAIN server wants somebody who decides.
    const known = ({ credentials }: ZapRequest) =>
      `${credentials}` === "user,password" ? "200" : "400";
    zap = await ZapHandler.start(known);
    await peer.authenticate({ user: "password" }, []);
  });

  // Native libzmq's REQ refuses the user id that a ZAP handler gives its server, and
  // with it the connection: where a REQ binds for PLAIN, the other end is the server.
  const serverOf = (a: TypeName, firstIsOurs: boolean, weBind: boolean) =>
    mechanism === "PLAIN" && a === "REQ" ? !firstIsOurs : weBind;

  const add = (
    [a, b, talk]: typeof PAIRS[number],
    firstIsOurs: boolean,
    weBind: boolean,
    transport: "tcp" | "ipc",
    weServe = serverOf(a, firstIsOurs, weBind),
  ) => {
    const ourType = firstIsOurs ? a : b, theirType = firstIsOurs ? b : a;
    const what = `${ourType} of ours ${weBind ? "binds for" : "connects to"} ` +
      `${theirType}, ${transport}, ${mechanism}` +
      (weServe === weBind
        ? ""
        : `, ${weServe ? "we are" : "it is"} the server`);
    test(what, async () => {
      const keys: Keys = weServe
        ? { server: curveKeyPair(), client: await peer.curveKeyPair() }
        : { server: await peer.curveKeyPair(), client: curveKeyPair() };
      const ours = new Ours(ourType, ourSecurity(mechanism, weServe, keys));
      const theirs = await Theirs.create(
        peer,
        theirType,
        theirSecurity(mechanism, !weServe, keys),
      );
      const [binder, connecter] = weBind ? [ours, theirs] : [theirs, ours];
      const run = async () => {
        const address = await binder.bind(anywhere(transport));
        await connecter.connect(
          address,
          talk === routers ? "peer" : undefined,
        );
        const ends = firstIsOurs ? [ours, theirs] : [theirs, ours];
        await talk(ends[0]!, ends[1]!, connecter, what);
      };
      try {
        await within(run(), what);
      } finally {
        ours.close();
        await theirs.close();
      }
    });
  };

  for (const pair of PAIRS) {
    for (const firstIsOurs of pair[0] === pair[1] ? [true] : [true, false]) {
      for (const weBind of [true, false]) {
        for (const transport of ["tcp", "ipc"] as const) {
          add(pair, firstIsOurs, weBind, transport);
        }
        // The server may as well be the end that connects.
        const some = pair[0] === "DEALER" || pair[0] === "PUSH";
        if (mechanism !== "NULL" && some) {
          add(pair, firstIsOurs, weBind, "tcp", !weBind);
        }
      }
    }
  }
  test.run();
}
