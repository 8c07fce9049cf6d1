/** ZAP 1.0 (RFC 27): what libzmq asks a handler, and what it is answered. */
import { encoder, TextDecoder } from "../../host/text.ts";
import { z85Encode } from "./z85.ts";

export const ZAP_ENDPOINT = "inproc://zeromq.zap.01";
const VERSION = "1.0";

/** Who wants to connect. */
interface Peer {
  /** The `zapDomain` of the server's socket. */
  readonly domain: string;
  /** The IP address of the peer; empty for ipc. */
  readonly address: string;
  /** The routing id of the server's socket. */
  readonly routingId: Uint8Array;
}

/** A request of a peer to be let in. */
export type ZapRequest =
  | Peer & { readonly mechanism: "NULL" }
  | Peer & {
    readonly mechanism: "PLAIN";
    readonly username: string;
    readonly password: string;
  }
  | Peer & {
    readonly mechanism: "CURVE";
    /** 40 characters of Z85; the peer has proved that it has the secret key. */
    readonly publicKey: string;
  };

/** 200 lets in, 300 asks to come back later, 400 refuses, 500 says that we failed. */
export type Status = 200 | 300 | 400 | 500;

export interface ZapReply {
  readonly status: Status;
  /** For the log: it is not sent to the peer. */
  readonly reason: string;
  readonly userId: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Received {
  /** What to put in front of the answer; undefined if nobody can be answered. */
  readonly envelope: readonly Uint8Array[] | undefined;
  /** The request, or why it is none. */
  readonly request: ZapRequest | string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Reads a message that a Router received at the ZAP endpoint. */
export function readRequest(frames: readonly Uint8Array[]): Received {
  const [peer, empty, version, id, domain, address, routingId, mechanism] =
    frames;
  if (!peer || !empty || empty.length > 0 || !version || !id) {
    return { envelope: undefined, request: "Not enough frames" };
  }
  const envelope = [peer, empty, version, id];
  const bad = (request: string) => ({ envelope, request });
  if (!mechanism || !domain || !address || !routingId) {
    return bad("Not enough frames");
  }
  const credentials = frames.slice(8);
  try {
    if (utf8.decode(version) !== VERSION) return bad("Invalid version");
    const who = {
      domain: utf8.decode(domain),
      address: utf8.decode(address),
      routingId: Uint8Array.from(routingId),
    };
    const name = utf8.decode(mechanism);
    switch (name) {
      case "NULL":
        if (credentials.length !== 0) return bad("Invalid credentials");
        return { envelope, request: { ...who, mechanism: name } };
      case "PLAIN":
        if (credentials.length !== 2) return bad("Invalid credentials");
        return {
          envelope,
          request: {
            ...who,
            mechanism: name,
            username: utf8.decode(credentials[0]),
            password: utf8.decode(credentials[1]),
          },
        };
      case "CURVE":
        if (credentials.length !== 1 || credentials[0]!.length !== 32) {
          return bad("Invalid credentials");
        }
        return {
          envelope,
          request: {
            ...who,
            mechanism: name,
            publicKey: z85Encode(Uint8Array.from(credentials[0]!)),
          },
        };
      default:
        return bad("Security mechanism not supported");
    }
  } catch {
    return bad("Not UTF-8");
  }
}

/** The frames of an answer. libzmq takes a User-Id and metadata only with 200. */
export function writeReply(
  [peer, empty, , id]: readonly Uint8Array[],
  { status, reason, userId, metadata }: ZapReply,
): (string | Uint8Array)[] {
  const ok = status === 200;
  if (ok && typeof userId !== "string") {
    throw new TypeError("a userId must be text");
  }
  return [
    peer!,
    empty!,
    VERSION,
    id!,
    String(status),
    // A short string of ZAP: one byte of length in other implementations.
    reason.slice(0, 200),
    ok ? userId : "",
    ok ? writeMetadata(metadata) : "",
  ];
}

/** ZMTP properties: length and name, length and value. */
function writeMetadata(
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const bytes: number[] = [];
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== "string") {
      throw new TypeError("the values of metadata must be text");
    }
    const [key, data] = [encoder.encode(name), encoder.encode(value)];
    if (key.length === 0 || key.length > 255) {
      throw new RangeError("the name of a metadata has 1 to 255 bytes");
    }
    const { length } = data;
    bytes.push(key.length, ...key);
    bytes.push(length >>> 24, length >> 16 & 255, length >> 8 & 255);
    bytes.push(length & 255, ...data);
  }
  return Uint8Array.from(bytes);
}
