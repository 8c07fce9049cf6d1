/** Deno has to be allowed to connect to the proxy, and not to what is behind it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runProgram } from "../socket/tools.ts";

const test = suite("socks permissions");

for (const [allowed, code] of [["1", undefined], ["2", "EACCES"]]) {
  test(`connect with --allow-net=127.0.0.1:${allowed}`, async () => {
    const { out, err } = await runProgram(
      `const dealer = new z.Dealer({ socksProxy: "127.0.0.1:1", linger: 0 });
      try {
        dealer.connect("tcp://example.test:80");
        console.log("{}");
      } catch ({ code, message }) {
        console.log(JSON.stringify({ code, message }));
      }
      dealer.close();`,
      { deno: ["--no-prompt", `--allow-net=127.0.0.1:${allowed}`] },
    );
    assert.is(err, "");
    const told = JSON.parse(out);
    assert.is(told.code, code);
    if (code) assert.match(told.message, /needs --allow-net=127\.0\.0\.1:1$/);
  });
}

test.run();
