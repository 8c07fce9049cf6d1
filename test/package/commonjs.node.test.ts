/** The package for CommonJS, and each of its entries. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  EXCHANGE,
  HELLO,
  install,
  pack,
  requiresModules,
  run,
} from "./installed.ts";

const test = suite("CommonJS");
const packed = pack();
const root = process.cwd();
let project = "";

test.before(() => {
  project = install(packed);
});
test.after(() => rmSync(project, { recursive: true, force: true }));

let programs = 0;
function node(
  code: string,
  extension: "mjs" | "cjs",
  ...flags: string[]
): Promise<string> {
  const name = `main${++programs}.${extension}`;
  writeFileSync(join(project, name), code);
  return run(project, process.execPath, [...flags, name]);
}

const NAMES = ["", "/auth", "/draft", "/draft.js", "/v5-compat"].concat(
  "/v5-compat.js",
);
const NO_MODULES = "--no-experimental-require-module";

/** All entries as `zmq`, `auth`, `draft`, `v5`, with what `require` is given for each. */
const required = (name: (entry: string) => string) => `
  const zmq = require(${name("")}), auth = require(${name("/auth")});
  const draft = require(${name("/draft")}), v5 = require(${
  name("/v5-compat")
});`;

/** Whether they are of one build. */
const SHARED = `
  const radio = new draft.Radio(), authenticator = new auth.Authenticator();
  console.log([
    radio instanceof zmq.Socket,
    draft.Radio === zmq.draft.Radio,
    draft.default.Radio === draft.Radio,
    v5.default.socket === v5.socket,
    (() => {
      try { v5.socket("push").connect("nonsense"); }
      catch (error) { return error instanceof zmq.ZmqError; }
    })(),
    authenticator instanceof auth.Authenticator,
  ].join());
  radio.close();`;
const ALL_SHARED = "true,true,true,true,true,true";

test("require by path, of all entries", async () => {
  const code = required((entry) =>
    JSON.stringify(`./node_modules/zeromq-wasm/dist${entry}/node.cjs`)
  );
  const out = await node(code + SHARED + EXCHANGE, "cjs");
  assert.equal(out.split("\n"), [ALL_SHARED, HELLO]);
});

const installed = (entry: string) => JSON.stringify(`zeromq-wasm${entry}`);

test("require of all entries", async () => {
  const code = required(installed) + SHARED + EXCHANGE;
  assert.equal((await node(code, "cjs")).split("\n"), [ALL_SHARED, HELLO]);
});

const canForbid = process.allowedNodeEnvironmentFlags.has(NO_MODULES);
(canForbid ? test : test.skip)(
  "require of all entries, where it takes no ES module",
  async () => {
    const paths = `console.log(${JSON.stringify(NAMES)}.map((name) =>
      require.resolve("zeromq-wasm" + name).endsWith("node.cjs")).join());`;
    const code = required(installed) + paths + SHARED + EXCHANGE;
    const out = await node(code, "cjs", NO_MODULES);
    const all = NAMES.map(() => "true").join();
    assert.equal(out.split("\n"), [all, ALL_SHARED, HELLO]);
  },
);

(requiresModules ? test : test.skip)(
  "require and import give the same",
  async () => {
    const out = await node(
      `(async () => {
      for (const name of ${JSON.stringify(NAMES)}) {
        const a = require("zeromq-wasm" + name);
        const b = await import("zeromq-wasm" + name);
        const names = Object.keys(b).filter((it) => it !== "default");
        console.log(names.length > 2 && names.every((it) => a[it] === b[it]));
      }
    })();`,
      "cjs",
    );
    assert.equal(out.split("\n"), NAMES.map(() => "true"));
  },
);

test("import of the names with .js, and of what is the default", async () => {
  const out = await node(
    `import * as zmq from "zeromq-wasm";
    import draft, { Radio } from "zeromq-wasm/draft.js";
    import other from "zeromq-wasm/draft";
    import v5, { socket } from "zeromq-wasm/v5-compat.js";
    import old from "zeromq-wasm/v5-compat";
    console.log([
      draft.Radio === Radio,
      other.Radio === Radio,
      zmq.draft.Radio === Radio,
      v5.socket === socket,
      old.socket === socket,
    ].join());`,
    "mjs",
  );
  assert.is(out, "true,true,true,true,true");
});

/** The files that a part of package.json leads to. */
function filesOf(part: unknown): string[] {
  if (typeof part === "string") return [part.replace(/^\.\//, "")];
  return Object.values(part as object).flatMap(filesOf);
}

test("what package.json leads to is packed", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  const { main, types, exports, typesVersions } = manifest;
  const paths = new Set(packed.files.map(({ path }) => path));
  const files = filesOf([main, types, exports, typesVersions]);
  assert.equal(files.filter((file) => !paths.has(file)), []);
  const entries = Object.keys(exports).filter((name) =>
    !/^\.$|\.(wasm|json)$/.test(name)
  );
  assert.equal(
    Object.keys(typesVersions["*"]).sort(),
    entries.map((name) => name.slice(2)).sort(),
  );
});

test("examples in the types name the package as a program does", () => {
  const names = readdirSync("dist/types", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".d.ts"))
    .flatMap((name) => {
      const text = readFileSync(join("dist/types", name), "utf8");
      return [...text.matchAll(/^ *\* .*\bfrom "(.*)"/gm)].map(([, of]) => of!);
    });
  assert.ok(names.includes("zeromq-wasm"), String(names));
  assert.equal(names.filter((name) => !/^zeromq-wasm\b/.test(name)), []);
});

const GLOBALS = "Buffer process Uint8Array ArrayBuffer setTimeout " +
  "clearTimeout setInterval clearInterval setImmediate clearImmediate " +
  "queueMicrotask console performance crypto TextDecoder TextEncoder URL " +
  "AbortSignal AbortController structuredClone atob btoa EventTarget Event " +
  "WebAssembly";

/** As Jest does: a realm of its own, with some of the outer one's globals. */
const realm = (outer: string) => `
  const vm = require("node:vm"), { readFileSync } = require("node:fs");
  const context = vm.createContext({});
  const inner = vm.runInContext("globalThis", context);
  for (const name of "${outer}".split(" ")) inner[name] = globalThis[name];
  inner.global = inner;
  let load = (file) => {
    const names = ["module", "exports", "require", "__filename", "__dirname"];
    const run = vm.compileFunction(readFileSync(file, "utf8"), names, {
      filename: file,
      parsingContext: context,
    });
    const module = { exports: {} };
    const folder = require("node:path").dirname(file);
    run.call(module.exports, module, module.exports, (name) =>
      name.startsWith(".")
        ? load(require("node:path").resolve(folder, name))
        : require(name), file, folder);
    return module.exports;
  };`;

test("in a realm of its own a request has its reply", async () => {
  const file = JSON.stringify(join(root, "dist/node.cjs"));
  const out = await node(
    `${realm(GLOBALS)}
    inner.zmq = load(${file});
    inner.console = console;
    vm.runInContext(\`(async () => {
      const reply = new zmq.Reply(), request = new zmq.Request();
      await reply.bind("tcp://127.0.0.1:*");
      request.connect(reply.lastEndpoint);
      await request.send(["a", Buffer.from("b"), new Uint8Array([99])]);
      const question = await reply.receive();
      await reply.send(question);
      console.log((await request.receive()).map(String).join());
      console.log(Array.isArray(question), question instanceof Array);
      reply.receiveTimeout = 1;
      console.log(await reply.receive().catch((error) =>
        [error instanceof Error, error.code].join()));
      request.close();
      reply.close();
    })()\`, context).catch((error) => console.log(error));`,
    "cjs",
  );
  assert.equal(out.split("\n"), ["a,b,c", "true true", "true,EAGAIN"]);
});

// jsdom's pages have Buffer and process from Jest, but no text coders and no crypto.
for (const globals of ["process Buffer", "process"]) {
  test(`in a realm with no globals but ${globals} all works`, async () => {
    const [file, auth, draft] = ["", "/auth", "/draft"].map((entry) =>
      JSON.stringify(join(root, `dist${entry}/node.cjs`))
    );
    const out = await node(
      `${realm(globals)}
      const loaded = new Map();
      const once = load;
      load = (file) => loaded.get(file) ?? loaded.set(file, once(file)).get(file);
      inner.zmq = load(${file});
      inner.auth = load(${auth});
      inner.draft = load(${draft});
      inner.print = console.log;
      inner.bytes = Buffer.from("group");
      vm.runInContext(\`(async () => {
        for (const address of ["tcp://127.0.0.1:*", "inproc://it"]) {
          const keys = zmq.curveKeyPair();
          const reply = new zmq.Reply({
            curveServer: true,
            curveSecretKey: keys.secretKey,
          });
          const request = new zmq.Request({
            curveServerKey: keys.publicKey,
            curvePublicKey: keys.publicKey,
            curveSecretKey: keys.secretKey,
          });
          await reply.bind(address);
          request.connect(reply.lastEndpoint);
          for (let i = 0; i < 600; i++) {
            await request.send(["ä", new Uint8Array([99])]);
            await reply.send(await reply.receive());
            const texts = await request.receiveText();
            if (i === 599) print(texts.join());
          }
          request.close();
          reply.close();
        }
        print(auth.z85Encode(auth.z85Decode("HelloWorld")));
        const dish = new draft.Dish();
        dish.join("a", bytes);
        dish.close();
        const authenticator = new auth.Authenticator();
        await authenticator.start();
        await authenticator.stop();
        print("over");
      })()\`, context).catch((error) => console.log(error));`,
      "cjs",
    );
    assert.equal(out.split("\n"), ["ä,c", "ä,c", "HelloWorld", "over"]);
  });
}

test.run();
