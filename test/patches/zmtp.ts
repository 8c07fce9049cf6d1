/** The bytes of ZMTP 3 (and 1, 2) and of ZeroMQ over WebSocket, as a raw peer sends them. */

type Part = string | Uint8Array | number[];

/** Strings are bytes here, one per character. */
export function bytes(...parts: Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part)
    ),
  );
}

const uint32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};

/** What every version of the protocol begins with. */
export const SIGNATURE = bytes([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f]);
/** The length of a whole ZMTP 3 greeting. */
export const GREETING_SIZE = 64;

/** A ZMTP 3.1 greeting. */
export function greeting(mechanism = "NULL", asServer = false): Buffer {
  return bytes(
    SIGNATURE,
    [3, 1],
    mechanism.padEnd(20, "\0"),
    [asServer ? 1 : 0],
    Buffer.alloc(31),
  );
}

/** A ZMTP 2 greeting: the signature, the revision, the socket type. */
export function greeting2(socketType: number): Buffer {
  return bytes(SIGNATURE, [1, socketType]);
}

const framed = (flags: number, body: Buffer): Buffer =>
  body.length < 256
    ? bytes([flags, body.length], body)
    : bytes([flags | 2], [0, 0, 0, 0], uint32(body.length), body);

/** A frame of a message. */
export function frame(body: Part, more = false): Buffer {
  return framed(more ? 1 : 0, bytes(body));
}

/** A command, such as `command("JOIN", "group")`. */
export function command(name: string, ...body: Part[]): Buffer {
  return framed(4, bytes([name.length], name, ...body));
}

/** One property of READY. */
export function property(name: string, value: Part): Buffer {
  const body = bytes(value);
  return bytes([name.length], name, uint32(body.length), body);
}

/** The READY command that ends a NULL handshake. */
export function ready(socketType: string, identity?: Part): Buffer {
  return command(
    "READY",
    property("Socket-Type", socketType),
    ...(identity === undefined ? [] : [property("Identity", identity)]),
  );
}

/** An upgrade request to ZeroMQ over WebSocket. */
export function upgrade(protocol: string): Buffer {
  return bytes(
    [
      "GET / HTTP/1.1",
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      `Sec-WebSocket-Protocol: ${protocol}`,
      "Sec-WebSocket-Version: 13",
      "\r\n",
    ].join("\r\n"),
  );
}

/** A WebSocket frame of a client; its mask is zero. */
export function wsFrame(opcode: number, body: Part): Buffer {
  const payload = bytes(body);
  return bytes(
    [0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0],
    payload,
  );
}
