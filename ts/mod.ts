/**
 * zeromq-wasm: ZeroMQ's own core, libzmq, for Node, Deno and Bun, without an addon.
 *
 * @example
 * import { Reply, Request } from "zeromq-wasm";
 *
 * const server = new Reply();
 * await server.bind("tcp://127.0.0.1:*");
 * const client = new Request();
 * client.connect(server.lastEndpoint!);
 * await client.send("hello");
 * const [question] = await server.receive();
 * await server.send(`${question} yourself`);
 * const [answer] = await client.receive();
 */
export * from "./api.ts";

// `import zmq from "zeromq"` works with the native package, which is CommonJS.
import * as api from "./api.ts";
export default api;
