import { pairSuite } from "./pairs.ts";

pairSuite("NULL");
