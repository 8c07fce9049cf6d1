// @ts-check
import process from "node:process";
import { curveKeyPair, Request } from "zeromq-wasm";
import { readFlags, run } from "../common.mjs";
import { clients, server } from "./keys.mjs";

const flags = readFlags("Talks in secret to a server that it can trust.", {
  endpoint: ["tcp://127.0.0.1:5560", "where the server listens"],
  name: ["alice", "who to be: alice, bob, or somebody with a key of their own"],
  count: [3, "how many requests"],
});

// Nobody else has the secret key that belongs to the server's public key, and
// nobody but the server and this client can read what they say.
const keys =
  Object.entries(clients).find(([name]) => name === flags.name)?.[1] ??
    curveKeyPair();
const socket = new Request({
  curveServerKey: server.publicKey,
  curvePublicKey: keys.publicKey,
  curveSecretKey: keys.secretKey,
});

async function talk() {
  for (let number = 1; number <= flags.count; number++) {
    await socket.send(`Good day ${number}`);
    const [answer] = await socket.receive();
    console.log(`Received: ${answer}`);
  }
  console.log(`Done: ${flags.count} answers.`);
}

// A server that refuses a client says so with a status; otherwise the client would
// wait for an answer for ever.
async function listenForRefusal() {
  for await (const event of socket.events) {
    if (event.type !== "handshake:error:auth") continue;
    const { status, message } = event.error;
    console.log(`The server refuses ${flags.name}: ${message} (${status})`);
    process.exitCode = 1;
    return;
  }
}

await run([socket], async () => {
  const refused = listenForRefusal();
  socket.connect(flags.endpoint);
  await Promise.race([talk(), refused]);
});
