/**
 * The program on Node: core.cjs, beside the module that is imported. It is a script, because
 * of scripts V8 gives out the code that it made; see node_code_cache.ts.
 */
import { builtin } from "./node_builtins.ts";
import { codeCache } from "./node_code_cache.ts";

type Start<Api> = (readModule: () => Uint8Array<ArrayBuffer>) => Api;

const CONDITION =
  'have the bundler use the condition "module", for which they are part of the program';

/** The names of ts/api.ts. */
export function core<Api>(): Api {
  // Bundlers that make a CommonJS module of this one leave it undefined.
  const here = import.meta.url as string | undefined;
  if (here === undefined) {
    throw new Error(
      `core.cjs and zeromq.wasm cannot be found without import.meta.url: ${CONDITION}`,
    );
  }
  const { readFileSync } = builtin("node:fs");
  // For tests with a page, Vitest has a class that gives addresses of its server.
  const ofFile = (name: string, url: URL) =>
    url.protocol === "file:" ? url : new (builtin("node:url").URL)(name, here);
  // In these words, by which bundlers know a file of the program.
  const file = ofFile("./core.cjs", new URL("./core.cjs", import.meta.url));
  const module = ofFile(
    "./zeromq.wasm",
    new URL("./zeromq.wasm", import.meta.url),
  );
  const readModule = () => read(() => readFileSync(module));
  if (process.sourceMapsEnabled) {
    // Node follows the maps of modules only.
    const { createRequire } = builtin("node:module");
    const require = createRequire(file);
    const { start } = require("./core.cjs") as { start: Start<Api> };
    return start(readModule);
  }
  const { Script } = builtin("node:vm");
  const source = read(() => readFileSync(file, "utf8"));
  if (!(Script instanceof Function)) {
    // A realm of its own, as tests have: a script would be of Node's, with other arrays.
    return ((0, eval)(source) as Start<Api>)(readModule);
  }
  const cache = codeCache(here);
  const cachedData = cache?.read();
  const script = new Script(source, { filename: file.href, cachedData });
  const start = script.runInThisContext() as Start<Api>;
  if (!cache || (cachedData && !script.cachedDataRejected)) {
    return start(readModule);
  }
  return start(() => {
    cache.keep(() => script.createCachedData());
    return readModule();
  });
}

function read<Content>(readFile: () => Content): Content {
  try {
    return readFile();
  } catch (cause) {
    const { code, path } = cause as { code?: unknown; path?: unknown };
    if (code !== "ENOENT") throw cause;
    throw new Error(
      `${path} is missing: copy core.cjs and zeromq.wasm there, from zeromq-wasm/dist, or ` +
        CONDITION,
      { cause },
    );
  }
}
