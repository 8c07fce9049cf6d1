// Fuzzes the built library with hostile peers and with nonsense as arguments.
//
//   npm run fuzz -- [--seconds 60] [--seed N] [--round N] [--rounds N]
//
// A seed makes the same rounds again; a failure prints how to repeat its round.
import { runProgram } from "../support/program.mjs";

await runProgram("fuzz");
