// deno: --deny-ffi
// bun: no, Deno alone knows this permission
/** Everything as ever on Deno where the C library may not be called. */
import "./contract.test.ts";
import "./direct.test.ts";
import "./last_words.test.ts";
import "../socket/patterns.test.ts";
