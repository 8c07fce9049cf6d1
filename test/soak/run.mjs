// Uses the built library for long, and shows what is left in memory, descriptors and timers.
//
//   npm run soak -- [--scale 0.01]     1 is 100,000 connections, a million sockets,
//                                      ten million messages
import { runProgram } from "../support/program.mjs";

await runProgram("soak", ["--expose-gc"]);
