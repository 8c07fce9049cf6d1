/** Takes the place of the product's module: the test programs, from a file. */
import { readFileSync } from "node:fs";
import process from "node:process";

export const wasm: string = readFileSync(process.argv[2]!).toString("base64");
