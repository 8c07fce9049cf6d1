// deno: --unstable-net
/** A few rounds of the fuzzers, with a seed that stays; `npm run fuzz` has more. */
import { suite } from "uvu";
import { closeAll } from "../socket/tools.ts";
import { apiRound } from "./api.ts";
import { datagramRound } from "./datagrams.ts";
import { dismiss, networkRound } from "./round.ts";

const test = suite("fuzz");
test.after.each(closeAll);
test.after(dismiss);

for (let round = 0; round < 4; round++) {
  test(`arguments, round ${round}`, () => apiRound(5, round));
  test(`datagrams, round ${round}`, () => datagramRound(5, round));
  test(`peers, round ${round}`, () => networkRound(5, round));
}

test.run();
