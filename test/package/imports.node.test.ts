/** Programs that use the package, as npm would install it, under each runtime. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EXCHANGE, HELLO, install, pack, run as runIn } from "./installed.ts";

const test = suite("package");
const deno = resolve("node_modules/.bin/deno");
const esbuild = resolve("node_modules/.bin/esbuild");
const tsc = resolve("node_modules/.bin/tsc");

const packed = pack();
let project = "";

test.before(() => {
  project = install(packed);
});

test.after(() => rmSync(project, { recursive: true, force: true }));

const run = (command: string, args: string[], cwd?: string): Promise<string> =>
  runIn(project, command, args, cwd);

const MODULE = `import * as zmq from "zeromq-wasm";${EXCHANGE}`;
const SCRIPT = `const zmq = require("zeromq-wasm");${EXCHANGE}`;

test("import in Node, by self-reference", async () => {
  const args = ["--input-type=module", "-e", MODULE];
  assert.is(await run(process.execPath, args, process.cwd()), HELLO);
});

test("import in Node, installed", async () => {
  writeFileSync(join(project, "main.mjs"), MODULE);
  assert.is(await run(process.execPath, ["main.mjs"]), HELLO);
});

test("require in Node, by self-reference", async () => {
  const args = ["--input-type=commonjs", "-e", SCRIPT];
  assert.is(await run(process.execPath, args, process.cwd()), HELLO);
});

test("require in Node, installed", async () => {
  writeFileSync(join(project, "main.cjs"), SCRIPT);
  assert.is(await run(process.execPath, ["main.cjs"]), HELLO);
});

test("the other entries of the package", async () => {
  const code = `
    const at = import.meta.resolve("zeromq-wasm/zmq.wasm");
    const { readFileSync } = await import("node:fs");
    const module = new WebAssembly.Module(readFileSync(new URL(at)));
    console.log(WebAssembly.Module.exports(module).some((it) => it.name === "zw_pump"));
    console.log(typeof (await import("zeromq-wasm/draft")).Radio);
    console.log(Object.keys(await import("zeromq-wasm/auth")).length > 0);
    for (const name of ["zeromq-wasm/dist/node.mjs", "zeromq-wasm/ts/mod.ts"]) {
      console.log(await import(name).then(() => "open", (error) => error.code));
    }`;
  writeFileSync(join(project, "entries.mjs"), code);
  assert.equal((await run(process.execPath, ["entries.mjs"])).split("\n"), [
    "true",
    "function",
    "true",
    "ERR_PACKAGE_PATH_NOT_EXPORTED",
    "ERR_PACKAGE_PATH_NOT_EXPORTED",
  ]);
});

/** Deno with the network and nothing else, and a program that imports from `url`. */
function runDeno(url: string, ...flags: string[]): Promise<string> {
  const main = join(mkdtempSync(join(project, "deno-")), "main.mjs");
  writeFileSync(main, `import * as zmq from "${url}";${EXCHANGE}`);
  const args = ["run", "--no-config", "--no-prompt", "--quiet", "--allow-net"];
  return run(deno, [...args, ...flags, main], dirname(main));
}

/** The program in one file elsewhere, as esbuild makes it. */
async function bundled(format: "esm" | "cjs", code: string): Promise<string> {
  const source = join(project, "source.mjs");
  writeFileSync(source, code);
  const folder = mkdtempSync(join(project, "bundled-"));
  const file = join(folder, format === "esm" ? "main.mjs" : "main.cjs");
  const args = ["--bundle", "--platform=node", `--format=${format}`];
  await run(esbuild, [source, ...args, `--outfile=${file}`]);
  return await run(process.execPath, [file], folder);
}

test("bundled for Node, the module inside", async () => {
  assert.is(await bundled("esm", MODULE), HELLO);
  assert.is(await bundled("cjs", MODULE), HELLO);
});

test("the other entries, bundled with the first", async () => {
  const code = `import { Socket } from "zeromq-wasm";
    import { Radio } from "zeromq-wasm/draft";
    console.log(new Radio() instanceof Socket);`;
  assert.is(await bundled("esm", code), "true");
});

test("Node's file alone says what it misses", async () => {
  const folder = mkdtempSync(join(project, "alone-"));
  cpSync("dist/node.mjs", join(folder, "node.mjs"));
  const code = `try {
      const { Pair } = await import("./node.mjs");
      new Pair();
    } catch (error) { console.log(error.message); }`;
  writeFileSync(join(folder, "main.mjs"), code);
  const message = () => run(process.execPath, ["main.mjs"], folder);
  assert.match(await message(), /core\.cjs is missing: copy /);
  cpSync("dist/core.cjs", join(folder, "core.cjs"));
  assert.match(await message(), /zeromq\.wasm is missing: copy /);
  cpSync("dist/zeromq.wasm", join(folder, "zeromq.wasm"));
  assert.is(await message(), "");
});

// As Vitest does in its environments of a page.
test("where URLs of files become addresses of a server", async () => {
  writeFileSync(
    join(project, "url.mjs"),
    `globalThis.URL = class extends URL {
      constructor(url, base) {
        super(url, String(base).startsWith("file:") ? "http://localhost/" : base);
      }
    };
    const zmq = await import("zeromq-wasm");${EXCHANGE}`,
  );
  for (const flags of [[], ["--enable-source-maps"]]) {
    assert.is(await run(process.execPath, [...flags, "url.mjs"]), HELLO);
  }
});

test("Node's file in a CommonJS bundle says what to do", async () => {
  const file = JSON.stringify(resolve("dist/node.mjs"));
  const code = `import(${file}).catch((error) => console.log(error.message));`;
  const message = await bundled("cjs", code);
  assert.match(message, /without import\.meta\.url: .* condition "module"/);
});

const denoBundle = join("node_modules", "zeromq-wasm", "dist", "deno.mjs");

test("the bundle in Deno, from a file", async () => {
  const url = pathToFileURL(join(project, denoBundle)).href;
  assert.is(await runDeno(url), HELLO);
});

test("the bundles in Deno have types, from files", async () => {
  const folder = mkdtempSync(join(project, "deno-types-"));
  const dist = join(folder, "dist"), main = join(folder, "main.ts");
  const packed = join(project, "node_modules", "zeromq-wasm", "dist");
  cpSync(packed, dist, { recursive: true });
  writeFileSync(
    main,
    `import { Reply } from "${pathToFileURL(join(dist, "deno.mjs"))}";
    import { Authenticator } from "${
      pathToFileURL(join(dist, "auth", "deno.mjs"))
    }";
    import draft from "${pathToFileURL(join(dist, "draft", "deno.mjs"))}";
    const reply = new Reply({ linger: 0 });
    const endpoint: string | null = reply.lastEndpoint;
    // @ts-expect-error It is no number.
    const number: number = reply.lastEndpoint;
    // @ts-expect-error There is no such option.
    new Reply({ lingers: 0 });
    export { Authenticator, draft, endpoint, number };`,
  );
  await run(deno, ["check", "--no-config", "--quiet", main], folder);
});

// As pnpm and `npm link` do: by its real path it is in no node_modules.
test("the package in Deno has types, linked", async () => {
  const folder = mkdtempSync(join(project, "deno-linked-"));
  const app = join(folder, "app"), main = join(app, "main.ts");
  const linked = join(folder, "zeromq-wasm");
  cpSync(join(project, "node_modules", "zeromq-wasm"), linked, {
    recursive: true,
  });
  mkdirSync(join(app, "node_modules"), { recursive: true });
  symlinkSync(linked, join(app, "node_modules", "zeromq-wasm"), "dir");
  writeFileSync(join(app, "package.json"), "{}");
  writeFileSync(
    main,
    `import { Reply } from "zeromq-wasm";
    import { Authenticator } from "zeromq-wasm/auth";
    import { Radio } from "zeromq-wasm/draft";
    const endpoint: string | null = new Reply({ linger: 0 }).lastEndpoint;
    // @ts-expect-error There is no such option.
    new Reply({ lingers: 0 });
    export { Authenticator, endpoint, Radio };`,
  );
  await run(deno, ["check", "--quiet", main], app);
});

test("the bundle in Deno, from a server", async () => {
  let served = 0;
  const server = createServer((request, response) => {
    if (request.url !== "/deno.mjs") {
      response.writeHead(404).end();
      return;
    }
    served++;
    response.setHeader("content-type", "text/javascript");
    response.end(readFileSync(join(project, denoBundle)));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const allowed = `--allow-import=${host}`;
    assert.is(await runDeno(`http://${host}/deno.mjs`, allowed), HELLO);
    assert.is(served, 1);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("the types, in a strict project", async () => {
  const folder = join(project, "types");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "main.ts"),
    `import * as zmq from "zeromq-wasm";
    export async function main(): Promise<string> {
      const options: zmq.SocketOptions<zmq.Dealer> = { linger: 0, routingId: "me" };
      const dealer = new zmq.Dealer(options);
      const router = new zmq.Router({ mandatory: true, context: zmq.context });
      await router.bind("tcp://127.0.0.1:*");
      const endpoint: string | null = router.lastEndpoint;
      if (endpoint !== null) dealer.connect(endpoint);
      await dealer.send(["text", new Uint8Array(1), null, 7]);
      for await (const [id, ...rest] of router) {
        const bytes: zmq.Message[] = rest;
        await router.send([id!, ...bytes]);
        break;
      }
      const keys: { publicKey: string; secretKey: string } = zmq.curveKeyPair();
      try {
        await new zmq.Subscriber({ curvePublicKey: keys.publicKey }).receive();
      } catch (error) {
        if (error instanceof zmq.ZmqError) return error.code + error.errno.toFixed();
      }
      // @ts-expect-error
      await new zmq.Pull().send("a Pull only receives");
      // @ts-expect-error
      new zmq.Push({ linger: "a number" });
      // @ts-expect-error
      new zmq.Push({ nonsense: true });
      // @ts-expect-error
      router.type = 3;
      return zmq.version;
    }`,
  );
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    target: "es2022",
    lib: ["es2023", "esnext.disposable", "dom"],
    module: "nodenext",
    types: [],
  };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["main.ts"] }),
  );
  await run(tsc, ["-p", "."], folder);
});

test("source maps name sources that are there", () => {
  for (const name of ["node.mjs", "core.cjs", "deno.mjs"]) {
    const code = readFileSync(`dist/${name}`, "utf8");
    assert.ok(code.trimEnd().endsWith(`//# sourceMappingURL=${name}.map`));
    const map = JSON.parse(readFileSync(`dist/${name}.map`, "utf8"));
    const sources: string[] = map.sources;
    assert.ok(sources.includes("../ts/node.ts") || sources.length > 10);
    assert.equal(
      sources.filter((source) => !existsSync(join("dist", source))),
      [],
    );
    // Installed there is no ts/: the map itself has it.
    assert.is(map.sourcesContent.length, sources.length);
  }
});

test("what npm would publish", () => {
  const paths = packed.files.map(({ path }) => path);
  for (
    const name of [
      "package.json",
      "README.md",
      "LICENSE",
      "dist/node.mjs",
      "dist/core.cjs",
      "dist/node.cjs",
      "dist/embedded.mjs",
      "dist/deno.mjs",
      "dist/zeromq.wasm",
      "dist/types/mod.d.ts",
    ]
  ) {
    assert.ok(paths.includes(name), `${name} is missing`);
  }
  // Our own build output and papers; no sources, ours or those of others.
  const strange = paths.filter((path) =>
    !/^(?:package\.json|README\.md|LICENSE)$/.test(path) &&
    path !== "dist/types/require/package.json" &&
    !/^dist\/(?:(?:auth|draft|v5-compat)\/)?\w+\.[cm]js(?:\.map)?$/.test(
      path,
    ) &&
    path !== "dist/zeromq.wasm" && !/^docs\/\w+\.md$/.test(path) &&
    !/^dist\/types\/[\w/]+\.d\.ts$/.test(path) &&
    !/^dist\/licenses\/[\w.-]+\.txt$/.test(path)
  );
  assert.equal(strange, []);
  const licenses = readdirSync("dist/licenses").map((it) =>
    `dist/licenses/${it}`
  );
  assert.ok(licenses.length > 0);
  const docs = readdirSync("docs").filter((name) => name.endsWith(".md"));
  assert.ok(docs.length > 0);
  for (const path of [...licenses, ...docs.map((name) => `docs/${name}`)]) {
    assert.ok(paths.includes(path), path);
  }
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  assert.equal(Object.keys(manifest.dependencies ?? {}), []);
  assert.ok(packed.unpackedSize < 6_000_000, `${packed.unpackedSize} bytes`);
});

test.run();
