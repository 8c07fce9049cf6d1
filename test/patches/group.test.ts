/**
 * Groups that a peer of RADIO or DISH names (patches 0017 to 0019).
 *
 * libzmq has these socket types inside, but the API has not: they are made by
 * number here, and what only libzmq's own functions can do is done by hand.
 */
import * as assert from "uvu/assert";
import { suite } from "uvu";
import { Context, type Socket } from "zeromq-wasm";
import {
  Cleanup,
  dial,
  draftSocket,
  latest,
  Monitor,
  setRaw,
  turn,
} from "./hostile.ts";
import { command, frame } from "./zmtp.ts";

const RADIO = 14, DISH = 15;
const ZMQ_RCVHWM = 24;
const test = suite("group");

/** Sends "body" to a group whose name is too long for the message itself. */
function longGroupSender(radio: Socket) {
  const { exports, socket } = latest;
  const put = (text: string, at: number) =>
    new Uint8Array(exports.memory.buffer).set(
      new TextEncoder().encode(text),
      at,
    );
  return (group: string, body: string): void => {
    const word = exports.malloc!(4);
    new DataView(exports.memory.buffer).setUint32(word, body.length, true);
    const parcel = exports.zw_parcel_new!(word, 1);
    const data = exports.zw_parcel_data!(parcel, 0);
    put(body, data);
    // A short body is in the message itself, behind one pointer.
    const msg = data - 4;
    // What zmq_msg_set_group does: 256 bytes of name, then a reference count.
    const name = exports.malloc!(260);
    new Uint8Array(exports.memory.buffer).fill(0, name, name + 260);
    put(group, name);
    const view = new DataView(exports.memory.buffer);
    view.setUint32(name + 256, 1, true);
    assert.is(
      view.getUint8(msg + 48),
      0,
      "a short group is where it was thought",
    );
    view.setUint8(msg + 48, 1);
    view.setUint32(msg + 52, name, true);
    assert.is(exports.zw_parcel_send!(parcel, socket) >= 0, true);
    exports.zw_parcel_free!(parcel);
    exports.free!(word);
    radio.linger = 0; // has it pumped
  };
}

test("two peers join the same long group", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const radio = cleanup.add(draftSocket(RADIO, { context }));
    const send = longGroupSender(radio);
    await radio.bind("tcp://127.0.0.1:*");
    const group = "a group of more than 14 bytes";
    const peers = [];
    for (let i = 0; i < 3; i++) {
      const peer = cleanup.add(await dial(radio));
      await peer.handshake("DISH");
      await peer.send(command("JOIN", group), command("PING", [0, 0]));
      await peer.readTo("PONG");
      peers.push(peer);
    }
    for (let i = 0; i < 20; i++) {
      send(group, `message ${i}`);
    }
    for (const peer of peers) {
      for (let i = 0; i < 20; i++) {
        assert.is(await peer.frame(), group);
        assert.is(await peer.frame(), `message ${i}`);
      }
    }
  } finally {
    cleanup.close();
  }
});

for (const name of ["JOIN", "LEAVE"]) {
  test(`a ${name} with a group of 256 bytes ends the connection`, async () => {
    const cleanup = new Cleanup();
    try {
      const context = new Context({ blocky: false });
      const radio = cleanup.add(draftSocket(RADIO, { context }));
      const send = longGroupSender(radio);
      await radio.bind("tcp://127.0.0.1:*");
      const hostile = cleanup.add(await dial(radio));
      await hostile.handshake("DISH");
      await hostile.send(command(name, "g".repeat(256)));
      await hostile.ended();

      // One of 255 is in order.
      const group = "g".repeat(255);
      const honest = cleanup.add(await dial(radio));
      await honest.handshake("DISH");
      await honest.send(command("JOIN", group), command("PING", [0, 0]));
      await honest.readTo("PONG");
      send(group, "honest");
      assert.is(await honest.frame(), group);
      assert.is(await honest.frame(), "honest");
    } finally {
      cleanup.close();
    }
  });
}

test("more messages with an empty group than there is room for", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const dish = cleanup.add(draftSocket(DISH, { context, linger: 0 }));
    setRaw(dish, ZMQ_RCVHWM, 10);
    await dish.bind("tcp://127.0.0.1:*");
    const hostile = cleanup.add(await dial(dish));
    await hostile.handshake("RADIO");
    const message = Buffer.concat([frame("", true), frame("x")]);
    await hostile.send(...Array.from({ length: 100 }, () => message));
    await hostile.send(command("PING", [0, 0]));
    // It has not joined and gets nothing, but looking for something makes room.
    let all = false;
    const answered = hostile.readTo("PONG").finally(() => all = true);
    answered.catch(() => {});
    while (!all) await look(dish);
    await answered;
    const honest = cleanup.add(await dial(dish));
    await honest.handshake("RADIO");
    await honest.send(command("PING", [0, 0]));
    await honest.readTo("PONG");
  } finally {
    cleanup.close();
  }
});

test("connections end between group and body, and nothing stays behind", async () => {
  const cleanup = new Cleanup();
  try {
    const context = new Context({ blocky: false });
    const dish = cleanup.add(draftSocket(DISH, { context }));
    const monitor = new Monitor(dish);
    await dish.bind("tcp://127.0.0.1:*");
    const { exports } = latest;
    const visit = async () => {
      const hostile = await dial(dish);
      await hostile.handshake("RADIO");
      await hostile.send(frame("g".repeat(200), true));
      hostile.finish();
      await monitor.until("disconnect");
      hostile.close();
      for (let i = 0; i < 3; i++) await look(dish);
    };
    for (let i = 0; i < 5; i++) await visit();
    const before = exports.zw_heap_used!();
    const visits = 30;
    for (let i = 0; i < visits; i++) await visit();
    const growth = (exports.zw_heap_used!() - before) / visits;
    // It was the whole buffer of what had been received: 8 KiB and more.
    assert.ok(growth < 1000, `${growth} bytes of each`);
    const honest = cleanup.add(await dial(dish));
    await honest.handshake("RADIO");
  } finally {
    cleanup.close();
  }
});

/** Thread-safe sockets, as libzmq calls these, do not signal: look, and go on. */
async function look(dish: Socket): Promise<void> {
  assert.not(dish.readable);
  dish.linger = 0;
  await turn();
}

test.run();
