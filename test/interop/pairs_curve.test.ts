import { pairSuite } from "./pairs.ts";

pairSuite("CURVE");
