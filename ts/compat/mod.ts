/**
 * zeromq-wasm/v5-compat: the callbacks and events of version 5 of the native package,
 * on top of version 6's API, for programs that have not moved on yet.
 *
 * @example
 * import * as zmq from "zeromq-wasm/v5-compat";
 *
 * const server = zmq.socket("rep"), client = zmq.socket("req");
 * server.on("message", (question) => server.send(`${question} yourself`));
 * client.on("message", (answer) => console.log(String(answer)));
 * server.bind("tcp://127.0.0.1:5555", () => {
 *   client.connect("tcp://127.0.0.1:5555");
 *   client.send("hello");
 * });
 */
export * from "./api.ts";

// `import zmq from "zeromq/v5-compat.js"` works with the native package, which is CommonJS.
import * as api from "./api.ts";
export default api;
