// bun: no, it is about Deno
/** A look-up that nobody answers ends with its connection: Deno would ask for 15 s. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Push } from "zeromq-wasm";
import { closeAll, isDeno, use, within } from "../socket/tools.ts";

const test = suite("names on Deno");
test.after.each(closeAll);

type Lookup = (
  name: string,
  type: string,
  options?: { signal?: AbortSignal },
) => Promise<string[]>;

const ENDS: Record<string, (push: Push, endpoint: string) => void> = {
  close: (push) => push.close(),
  disconnect: (push, endpoint) => push.disconnect(endpoint),
  // Given before it connects: it ends by itself.
  connectTimeout: () => {},
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`it ends by ${name}`, async () => {
    if (!isDeno) return;
    const { Deno } = globalThis as unknown as { Deno: { resolveDns: Lookup } };
    const { resolveDns } = Deno;
    const asked = new Promise<AbortSignal | undefined>((resolve) => {
      Deno.resolveDns = (_name, _type, options) => {
        resolve(options?.signal);
        return new Promise((_, reject) =>
          options?.signal?.addEventListener("abort", reject)
        );
      };
    });
    try {
      const endpoint = "tcp://somewhere.test:1";
      const connectTimeout = name === "connectTimeout" ? 20 : 0;
      const push = use(new Push({ linger: 0, connectTimeout }));
      push.connect(endpoint);
      const signal = await within(asked, "a look-up");
      assert.ok(signal, "it can be ended");
      const ended = new Promise((resolve) =>
        signal.addEventListener("abort", resolve)
      );
      end(push, endpoint);
      await within(ended, "its end");
    } finally {
      Deno.resolveDns = resolveDns;
    }
  });
}

test.run();
