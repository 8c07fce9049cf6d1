import { pairSuite } from "./pairs.ts";

pairSuite("PLAIN");
