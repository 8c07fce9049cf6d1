/** Every option in zmq.h is a property, or what a method does, or listed with a reason. */
import { readFileSync } from "node:fs";
import * as constants from "zeromq-wasm:constants";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as zmq from "zeromq-wasm";
import * as draft from "zeromq-wasm/draft";
import * as options from "../../ts/socket/options.ts";
import { closeAll, use } from "./tools.ts";

const test = suite("every option");
test.after.each(closeAll);

const header = readFileSync("build/libzmq-src/include/zmq.h", "utf8");
const docs = readFileSync("docs/runtimes.md", "utf8");

/** The options between two comments of zmq.h, with its numbers. */
function between(from: string, to: string): Map<string, number> {
  const start = header.indexOf(from);
  const end = header.indexOf(to, start + from.length);
  assert.ok(start > 0 && end > start, `${from} … ${to}`);
  return new Map(
    [
      ...header.slice(start, end).matchAll(
        /^#define ZMQ_(\w+) (\d+|0x[0-9a-f]+)$/gm,
      ),
    ].map(([, name, value]) => [name!, Number(value)]),
  );
}
const ofSockets = new Map([
  ...between("/*  Socket options.", "/*  Message options"),
  ...between("/*  DRAFT Socket options.", "/*  DRAFT ZMQ_RECONNECT_STOP"),
]);
const ofContexts = new Map([
  ...between("/*  Context options", "/*  Default for new contexts"),
  ...between("/*  DRAFT Context options", "/*  DRAFT Context methods"),
]);

/** What is done otherwise, and where to look for it. */
const METHODS: Record<string, [prototype: object, name: string]> = {
  SUBSCRIBE: [zmq.Subscriber.prototype, "subscribe"],
  UNSUBSCRIBE: [zmq.Subscriber.prototype, "unsubscribe"],
  CONNECT_ROUTING_ID: [zmq.Router.prototype, "connect"],
  MECHANISM: [zmq.Socket.prototype, "securityMechanism"],
  XPUB_VERBOSE: [zmq.XPublisher.prototype, "verbosity"],
  XPUB_VERBOSER: [zmq.XPublisher.prototype, "verbosity"],
};

/** Not offered; the reason is in docs/runtimes.md, under these names. */
const LEFT_OUT =
  /^(FD|EVENTS|RCVMORE|USE_FD|ROUTER_RAW|ZERO_COPY_RECV|MSG_T_SIZE|THREAD_AFFINITY_CPU_(?:ADD|REMOVE)|THREAD_NAME_PREFIX)$|^(GSSAPI_|WSS_)/;

/** What some read as before they are set, and libzmq does not take. */
const UNSET: Bag = { heartbeatTimeout: -1 };

const TYPES = [zmq, draft].flatMap((module) => Object.values(module)).filter(
  (value): value is new () => zmq.Socket =>
    typeof value === "function" && value.prototype instanceof zmq.Socket,
);

const declarations = [
  "context",
  "draft",
  "properties",
  "roles",
  "socket",
  "sockets",
].map((name) => readFileSync(`ts/socket/${name}.ts`, "utf8")).join("\n");

function checkDeclared(name: string): void {
  assert.match(
    declarations,
    new RegExp(`^  (?:(?:declare |readonly )*${name}:|get ${name}\\()`, "m"),
    `${name} has a type`,
  );
}

function checkReason(name: string): boolean {
  const [, whole, family] = LEFT_OUT.exec(name) ?? [];
  if (whole === undefined && family === undefined) return false;
  const text = `\`ZMQ_${whole ?? `${family}*`}\``;
  assert.ok(docs.includes(text), `docs/runtimes.md has ${text}`);
  return true;
}

type Bag = Record<string, unknown>;

/** By number: the properties that stand for an option. */
function properties(groups: unknown[]): Map<number, [string, options.Option]> {
  return new Map(
    groups.flatMap((group) => Object.entries(group as object)).map(
      ([name, option]) => [option.id, [name, option]],
    ),
  );
}

test("every socket option", () => {
  assert.ok(ofSockets.size > 95, `${ofSockets.size} options`);
  const { CONTEXT: _, ...groups } = options;
  const known = properties(
    Object.entries(groups).filter(([, group]) =>
      typeof group === "object" && !("id" in group) && !(group instanceof Set)
    ).map(([, group]) => group),
  );
  const sockets = TYPES.map((Type) => use(new Type()));
  for (const [name, id] of ofSockets) {
    // Shares its section and is of contexts.
    if (name === "BLOCKY" || checkReason(name)) continue;
    const method = METHODS[name];
    if (method) {
      assert.ok(method[1] in method[0], `${name}: ${method[1]}`);
      continue;
    }
    assert.is((constants as Record<string, unknown>)[`ZMQ_${name}`], id, name);
    const [property, option] = known.get(id) ?? [];
    assert.ok(property && option, `ZMQ_${name} has no property`);
    checkDeclared(property);
    const having = sockets.filter((socket) => property in socket);
    assert.ok(having.length > 0, `some socket has ${property}`);
    for (const socket of having as unknown as Bag[]) {
      if (property.startsWith("vmci")) {
        assert.throws(() => socket[property], /Invalid argument/);
        continue;
      }
      const value = socket[property];
      assert.is.not(value, undefined, property);
      if (option.access === "r") {
        assert.throws(() => socket[property] = value, TypeError);
      } else if (value !== null || option.kind !== "text") {
        // What is read can be set, and is read again.
        if (value === null || UNSET[property] === value) continue;
        socket[property] = value;
        assert.equal(socket[property], value, property);
      }
    }
  }
});

test("every context option", () => {
  const known = properties([options.CONTEXT]);
  const context = new zmq.Context() as unknown as Bag;
  for (const [name, id] of ofContexts) {
    if (checkReason(name)) continue;
    const found = [...Object.entries(options.CONTEXT)].find(([, option]) =>
      option.id === id &&
      // Two have the same number: one is only read, the other only set.
      (name !== "SOCKET_LIMIT" || option.access === "r") &&
      (name !== "THREAD_PRIORITY" || option.access === "w")
    );
    assert.ok(found && known.has(id), `ZMQ_${name} has no property`);
    const [property, option] = found;
    checkDeclared(property);
    const value = context[property];
    assert.is.not(value, undefined, property);
    if (option.access !== undefined) continue;
    context[property] = value;
    assert.is(context[property], value, property);
  }
  for (const name of ["ipv6", "blocky"]) checkDeclared(name);
});

test("what docs/runtimes.md says has no effect is an option", () => {
  const start = docs.indexOf("## Socket options that a runtime cannot honour");
  const table = docs.slice(start, docs.indexOf("\n\n`vmci", start));
  const names = [...table.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!)
  );
  assert.ok(names.length > 15, names.join());
  const all = [
    ...TYPES.map((Type) => Type.prototype),
    zmq.Context.prototype,
  ];
  for (const name of names) {
    assert.ok(all.some((prototype) => name in prototype), name);
  }
});

test.run();
