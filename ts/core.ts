/** The program that node.ts starts: gives it the names. */
import * as api from "./api.ts";

/** What encloses the program, see build.sh, returns them. */
declare const program: { names: typeof api };
program.names = api;
