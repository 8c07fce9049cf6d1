/** Programs for the native package's other entries. */
import * as draft from "zeromq/draft";
import * as v5 from "zeromq/v5-compat";

export async function drafts(): Promise<void> {
  const server = new draft.Server(), client = new draft.Client({ linger: 0 });
  await client.send("x");
  const [question, { routingId }] = await server.receive();
  await server.send(question, { routingId });
  const [answer] = await client.receive();
  const dish = new draft.Dish(), radio = new draft.Radio();
  dish.join("a", Buffer.from("b"));
  await radio.send(answer, { group: "a" });
  const [message, { group }] = await dish.receive();
  console.log(message.toString("hex"), group.toString("hex"));
  const scatter = new draft.Scatter({ conflate: true });
  await scatter.send("x");
  const datagram = new draft.Datagram();
  const [address, bytes] = await datagram.receive();
  await datagram.send([address, bytes]);
  for await (const [gathered] of new draft.Gather()) console.log(gathered);
  // @ts-expect-error a Server has to know whom
  await server.send("x");
  // @ts-expect-error a Radio sends to groups
  await radio.send("x", {});
}

export function version5(): void {
  const socket: v5.Socket = v5.socket("router", { identity: "me", linger: 1 });
  const type: v5.SocketType = "pub";
  socket.on("message", (...frames: Buffer[]) => socket.send(frames, 0));
  socket.bind("tcp://127.0.0.1:*", (error?: Error) => console.log(error));
  socket.monitor(1, 0).unmonitor().subscribe("x").close();
  socket.setsockopt(v5.ZMQ_LINGER, 0).setsockopt("identity", "you");
  socket.getsockopt(v5.options.linger);
  socket.send(["a", "b"], v5.ZMQ_SNDMORE).send("c", null, () => {});
  socket.identity = "other";
  v5.createSocket(type).bindSync("inproc://x");
  v5.proxy(socket, socket, socket);
  v5.Context.setMaxThreads(v5.Context.getMaxThreads());
  console.log(v5.curveKeypair().public, v5.version, v5.STATE_CLOSED);
}
