/**
 * zeromq-wasm/draft: the socket types that libzmq calls draft; their API may change with it.
 *
 * @example
 * import { Client, Server } from "zeromq-wasm/draft";
 *
 * const server = new Server();
 * await server.bind("tcp://127.0.0.1:*");
 * const client = new Client();
 * client.connect(server.lastEndpoint!);
 * await client.send("hello");
 * const [question, { routingId }] = await server.receive();
 * await server.send(`${question} yourself`, { routingId });
 */
import { draft } from "zeromq-wasm";

export const Client = draft.Client;
export const Datagram = draft.Datagram;
export const Dish = draft.Dish;
export const Gather = draft.Gather;
export const Radio = draft.Radio;
export const Scatter = draft.Scatter;
export const Server = draft.Server;

export type Client = draft.Client;
export type Datagram = draft.Datagram;
export type Dish = draft.Dish;
export type Gather = draft.Gather;
export type Radio = draft.Radio;
export type Scatter = draft.Scatter;
export type Server = draft.Server;
// `import draft from "zeromq/draft.js"` works with the native package, which is CommonJS.
export default draft;
export type {
  DishGroupOptions,
  RadioGroupOptions,
  ServerRoutingOptions,
} from "./socket/draft.ts";
