// @ts-check
import { Reply } from "zeromq-wasm";
import { readFlags, run } from "../common.mjs";
import { clients, server } from "./keys.mjs";
import { guard } from "./zap.mjs";

const flags = readFlags("Answers known clients only, in secret.", {
  endpoint: ["tcp://127.0.0.1:5560", "where to listen"],
});

const doorkeeper = new Reply();
const socket = new Reply({
  curveServer: true,
  curveSecretKey: server.secretKey,
  zapDomain: "example",
});
const known = new Map(
  Object.entries(clients).map(([name, { publicKey }]) => [publicKey, name]),
);

async function answer() {
  for await (const [request] of socket) {
    console.log(`Received: ${request}`);
    await socket.send(`${request} to you`);
  }
}

await run([socket, doorkeeper], async () => {
  await doorkeeper.bind("inproc://zeromq.zap.01");
  await socket.bind(flags.endpoint);
  console.log(`Listening on ${socket.lastEndpoint}, Ctrl-C stops.`);
  await Promise.all([guard(doorkeeper, known), answer()]);
});
