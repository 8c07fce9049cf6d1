// @ts-check
import { Reply } from "zeromq-wasm";
import { Authenticator } from "zeromq-wasm/auth";
import { readFlags, run } from "../common.mjs";
import { clients, server } from "./keys.mjs";

const flags = readFlags("Answers known clients only, in secret.", {
  endpoint: ["tcp://127.0.0.1:5560", "where to listen"],
});

const known = new Map(
  Object.entries(clients).map(([name, { publicKey }]) => [publicKey, name]),
);
// libzmq asks it about every client that connects.
const authenticator = new Authenticator();
const doorkeeper = { close: () => void authenticator.stop() };
const socket = new Reply({
  curveServer: true,
  curveSecretKey: server.secretKey,
  zapDomain: "example",
  // Without an authenticator nobody is admitted.
  zapEnforceDomain: true,
});

authenticator.on("decision", ({ allowed, userId, address }) => {
  console.log(`${allowed ? "Admitted" : "Refused"}: ${userId} from ${address}`);
});

async function answer() {
  for await (const [request] of socket) {
    console.log(`Received: ${request}`);
    await socket.send(`${request} to you`);
  }
}

await run([socket, doorkeeper], async () => {
  await authenticator.configureCurve({
    domain: "example",
    check: ({ publicKey }) => {
      const name = known.get(publicKey);
      return name === undefined ? false : { status: 200, userId: name };
    },
  });
  await authenticator.start();
  await socket.bind(flags.endpoint);
  console.log(`Listening on ${socket.lastEndpoint}, Ctrl-C stops.`);
  await answer();
});
