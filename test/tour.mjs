// The tour: each pattern over each transport, between a Node process, a Deno process
// and a native peer (pyzmq), in plain text and under CURVE. Every row moves messages
// between two processes that check them; the exit code is 0 only if all rows worked.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { curveKeyPair, version } from "zeromq-wasm";

const here = dirname(fileURLToPath(import.meta.url));
const LIMIT_MS = 10_000;
const FLOW = 20_000, PINGS = 200;

/** Which socket binds and which connects; who sends the flow; whether answers go back. */
const PATTERNS = [
  { name: "request-reply", bound: "REP", connected: "REQ", twoWay: true },
  {
    name: "publish-subscribe",
    bound: "PUB",
    connected: "SUB",
    flow: "bound",
    late: true,
  },
  { name: "pipeline", bound: "PULL", connected: "PUSH", flow: "connected" },
  {
    name: "router-dealer",
    bound: "ROUTER",
    connected: "DEALER",
    twoWay: true,
    flow: "connected",
  },
  {
    name: "exclusive pair",
    bound: "PAIR",
    connected: "PAIR",
    twoWay: true,
    flow: "connected",
  },
  {
    name: "xpub-xsub",
    bound: "XPUB",
    connected: "XSUB",
    flow: "bound",
    late: true,
  },
];

/** One peer process, which answers each command with one line. */
class Peer {
  #answers = [];
  #waiting = [];
  #over;

  constructor(name, command, args) {
    this.name = name;
    this.child = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      cwd: dirname(here),
    });
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const wait = this.#waiting.shift();
      if (wait) wait(JSON.parse(line));
      else this.#answers.push(JSON.parse(line));
    });
    this.child.on("error", (error) => this.#end(error.message));
    this.child.on("exit", (code) => this.#end(`ended with ${code}`));
  }

  #end(reason) {
    this.#over ??= { error: reason };
    for (const wait of this.#waiting.splice(0)) wait(this.#over);
  }

  /** Its answer, or an error after a while: a row that hangs is a row that failed. */
  async do(name, command = {}) {
    this.child.stdin.write(JSON.stringify({ do: name, ...command }) + "\n");
    const answer = this.#answers.shift() ?? this.#over ??
      await new Promise((resolve) => {
        const late = setTimeout(
          () => resolve({ error: `no answer within ${LIMIT_MS} ms` }),
          LIMIT_MS,
        );
        this.#waiting.push((answer) => {
          clearTimeout(late);
          resolve(answer);
        });
      });
    if (answer.error) throw new Error(`${this.name}, ${name}: ${answer.error}`);
    return answer;
  }
}

/** A row between two processes: `a` binds, `b` connects. */
async function between(pattern, secure, a, b, endpoint) {
  const server = curveKeyPair(), client = curveKeyPair();
  const curve = secure
    ? [{ server: true, ...server }, {
      server: false,
      ...client,
      serverKey: server.publicKey,
    }]
    : [];
  const opened = await a.do("open", {
    type: pattern.bound,
    bind: true,
    endpoint,
    curve: curve[0],
  });
  await b.do("open", {
    type: pattern.connected,
    bind: false,
    endpoint: opened.endpoint,
    curve: curve[1],
  });
  let result = {};
  if (pattern.twoWay) {
    const echo = a.do("echo", { count: PINGS });
    result = await b.do("ping", { count: PINGS });
    await echo;
    result.messages = 2 * PINGS;
  }
  if (pattern.flow) {
    const [from, to] = pattern.flow === "bound" ? [a, b] : [b, a];
    if (pattern.late) {
      // A publisher drops what nobody has subscribed to yet: repeat until heard.
      let heard = false;
      const hearing = to.do("heard").finally(() => heard = true);
      while (!heard) {
        await from.do("hello");
        await new Promise((resolve) => setImmediate(resolve));
      }
      await hearing;
    }
    const received = to.do("receive", { count: FLOW });
    await from.do("send", { count: FLOW });
    result = { ...result, ...await received, messages: FLOW };
  }
  await a.do("close");
  await b.do("close");
  return result;
}

// ------------------------------------------------------------------ the table

const COLUMNS = [
  ["pattern", 18],
  ["transport", 11],
  ["peers (bind, connect)", 22],
  ["messages", 9],
  ["messages/s", 11],
  ["round trip", 11],
];
const live = process.stdout.isTTY;

function line(cells) {
  return cells.map((cell, i) => {
    const width = COLUMNS[i][1];
    return i < 3 ? String(cell).padEnd(width) : String(cell).padStart(width);
  }).join(" ").trimEnd();
}

function number(value) {
  return Math.round(value).toLocaleString("en-US");
}

function show(row, result) {
  const names = [row.pattern, row.transport, row.peers];
  if (result.error) return `${line(names)}  FAILED: ${result.error}`;
  return line([
    ...names,
    number(result.messages),
    number(result.messages / result.seconds),
    result.median === undefined ? "" : `${number(result.median * 1e6)} µs`,
  ]);
}

// ------------------------------------------------------------------- the tour

const python = [process.env.PYTHON, "python3", "/usr/bin/python3"].find((
  name,
) => name && spawnSync(name, ["-c", "import zmq"]).status === 0);
const folder = mkdtempSync(join(tmpdir(), "zmq-tour-"));
const node = new Peer("Node", process.execPath, [
  join(here, "tour", "peer.mjs"),
]);
const deno = new Peer(
  "Deno",
  join(here, "..", "node_modules", ".bin", "deno"),
  [
    "run",
    "--quiet",
    "--allow-net",
    `--allow-read=${folder}`,
    `--allow-write=${folder}`,
    join(here, "tour", "peer.mjs"),
  ],
);
const peers = [node, deno];
const pairs = [[node, deno], [deno, node]];
if (python) {
  const native = new Peer("pyzmq", python, [join(here, "tour", "peer.py")]);
  peers.push(native);
  pairs.splice(1, 1, [node, native], [native, deno]);
}

const rows = [];
let serial = 0;
for (const pattern of PATTERNS) {
  for (
    const [transport, secure] of [["tcp", false], ["tcp", true], ["ipc", false]]
  ) {
    for (const [a, b] of pairs) {
      rows.push({
        pattern: pattern.name,
        transport: secure ? `${transport}, CURVE` : transport,
        peers: `${a.name}, ${b.name}`,
        run: () => {
          const endpoint = transport === "tcp"
            ? "tcp://127.0.0.1:*"
            : `ipc://${join(folder, `${++serial}.ipc`)}`;
          return between(pattern, secure, a, b, endpoint);
        },
      });
    }
  }
  for (const peer of [node, deno]) {
    rows.push({
      pattern: pattern.name,
      transport: "inproc",
      peers: `${peer.name}, itself`,
      run: () => peer.do("inproc", { ...pattern, pings: PINGS, count: FLOW }),
    });
  }
}

console.log(
  `libzmq ${version} in WebAssembly, meeting itself and native peers.`,
);
if (!python) {
  console.log(
    "pyzmq is not installed (python3-zmq): no native peer this time.",
  );
}
console.log(`\n${line(COLUMNS.map(([title]) => title))}`);

const started = performance.now();
let failed = 0;
for (const [i, row] of rows.entries()) {
  if (live) {
    const names = line([row.pattern, row.transport, row.peers]);
    process.stdout.write(`${names}  … ${i + 1} of ${rows.length}`);
  }
  const result = await row.run().catch((error) => ({ error: error.message }));
  if (live) process.stdout.write("\r\x1b[K");
  console.log(show(row, result));
  if (result.error) {
    failed++;
    // The peers may be anywhere in what they were told to do.
    if (failed === 3) break;
  }
}
for (const { child } of peers) child.kill();
rmSync(folder, { recursive: true, force: true });

const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  failed === 0
    ? `\nAll ${rows.length} rows worked, in ${seconds} s. ` +
      "Next: the programs in examples/, each with its own README."
    : `\n${failed} of ${rows.length} rows failed.`,
);
process.exitCode = failed === 0 ? 0 : 1;
