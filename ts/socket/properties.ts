/**
 * The options of sockets as properties, typed, with their unit and range: what
 * options.ts says to libzmq, said to people. See man zmq_setsockopt for each; what a
 * runtime cannot honour is in docs/runtimes.md.
 *
 * Setting an option throws a TypeError for a value of the wrong type, EINVAL for one
 * out of range, EBADF on a closed socket. Most options hold for endpoints that are
 * bound or connected afterwards; set later, they give a process warning.
 */
import type { Context } from "./context.ts";

/** Options that have bytes: they can be set to a buffer too. */
type BinaryOption =
  | "curvePublicKey"
  | "curveSecretKey"
  | "curveServerKey"
  | "disconnectMessage"
  | "helloMessage"
  | "routingId"
  | "welcomeMessage";

/** Options given to a constructor: the context, and the writable properties of the socket. */
export type SocketOptions<S> =
  & { context?: Context }
  & {
    [K in WritableKeys<S>]?: K extends BinaryOption ? S[K] | Uint8Array : S[K];
  };
type WritableKeys<S> = {
  [K in keyof S]-?: S[K] extends (...args: never[]) => unknown ? never
    : Same<{ [P in K]: S[P] }, { -readonly [P in K]: S[P] }> extends true ? K
    : never;
}[keyof S];
/** Whether two types are the same, `readonly` included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

type PrincipalType = "hostBased" | "userName" | "krb5Principal";

/** Options of every socket. */
export interface Properties {
  /** libzmq's number of the socket type. */
  readonly type: number;
  /** What was bound or connected last, with the port that was chosen; null at first. */
  readonly lastEndpoint: string | null;
  /** Whether libzmq lets several threads use it: some draft types. */
  readonly threadSafe: boolean;
  /** A bit for each I/O thread that may serve new connections; 0 at first. No effect: there is one event loop. */
  affinity: number;
  /** Kilobits per second of multicast over pgm, 1 or more; 100 at first. */
  rate: number;
  /** Milliseconds that a multicast receiver may be away, 0 or more; 10000 at first. */
  recoveryInterval: number;
  /** Milliseconds that queued messages may take to leave after `close()`; -1 (at first) for ever, 0 drops them. */
  linger: number;
  /** Milliseconds before the first attempt to connect again; 100 at first, -1 never. */
  reconnectInterval: number;
  /** Milliseconds up to which that grows, doubling; 0 (at first) does not grow. */
  reconnectMaxInterval: number;
  /** When not to connect again: the sum of 1 (refused) and 2 (handshake failed); 0 at first. 3 means `disconnect` too. */
  reconnectStop: number;
  /** Connections that may wait to be accepted, 0 or more; 100 at first. */
  backlog: number;
  /** Bytes of the largest frame that is accepted from a peer; without effect over inproc and udp, and for a Stream; -1 (at first) for any. */
  maxMessageSize: number;
  /** TCP keep-alive: 1 on, 0 off, -1 (at first) as the system has it. */
  tcpKeepalive: number;
  /** Probes before a connection is given up; -1 (at first) as the system has it. */
  tcpKeepaliveCount: number;
  /** Seconds of silence before the first probe; -1 (at first) as the system has it. */
  tcpKeepaliveIdle: number;
  /** Seconds between probes; -1 (at first) as the system has it. */
  tcpKeepaliveInterval: number;
  /** An address or network (`10.0.0.0/8`) that may connect, added to those before; null clears them. */
  tcpAcceptFilter: string | null;
  /** Queue only for peers that are connected; false at first. */
  immediate: boolean;
  /** IPv6 as well as IPv4; false at first. */
  ipv6: boolean;
  /** Be the server of the PLAIN mechanism; false at first. */
  plainServer: boolean;
  /** User name of a PLAIN client: 1 to 255 bytes, or null. */
  plainUsername: string | null;
  /** Password of a PLAIN client: 1 to 255 bytes, or null. */
  plainPassword: string | null;
  /** Be the server of the CURVE mechanism; false at first. */
  curveServer: boolean;
  /** Our public key: 40 characters of Z85; 32 bytes can be set too. Zeros at first; null is EINVAL. */
  get curvePublicKey(): string | null;
  set curvePublicKey(value: string | Uint8Array | null);
  /** Our secret key: 40 characters of Z85; 32 bytes can be set too. Zeros at first; null is EINVAL. */
  get curveSecretKey(): string | null;
  set curveSecretKey(value: string | Uint8Array | null);
  /** The server's public key: 40 characters of Z85; 32 bytes can be set too. Zeros at first; null is EINVAL. */
  get curveServerKey(): string | null;
  set curveServerKey(value: string | Uint8Array | null);
  /** GSSAPI is not in this build (`capability.gssapi`): setting it throws a TypeError. */
  gssapiServer: boolean;
  /** Not in this build. */
  gssapiPrincipal: string | null;
  /** Not in this build. */
  gssapiServicePrincipal: string | null;
  /** Not in this build. */
  gssapiPlainText: boolean;
  /** Not in this build. */
  gssapiPrincipalNameType: PrincipalType;
  /** Not in this build. */
  gssapiServicePrincipalNameType: PrincipalType;
  /** The domain told to the ZAP handler: at most 255 bytes. */
  zapDomain: string | null;
  /** Refuse peers if there is no ZAP handler; false at first. Without a `zapDomain`, `bind` and `connect` then throw EINVAL. */
  zapEnforceDomain: boolean;
  /** The TOS byte of IP packets, 0 at first. No effect: see docs/runtimes.md. */
  typeOfService: number;
  /** The system's priority of packets (SO_PRIORITY), 0 or more; 0 at first. */
  priority: number;
  /** Milliseconds that a handshake may take; 30000 at first, 0 any time. */
  handshakeInterval: number;
  /** A SOCKS5 proxy for connecting, `host:port`; null at first. */
  socksProxy: string | null;
  /** User name for the proxy: 1 to 255 bytes; null (at first) for none. */
  socksUsername: string | null;
  /** Password for the proxy: 1 to 255 bytes, or null. */
  socksPassword: string | null;
  /** Milliseconds between heartbeats; 0 (at first) sends none. */
  heartbeatInterval: number;
  /** Milliseconds after which the peer may give us up, 0 to 6553599, in steps of 100; 0 at first. */
  heartbeatTimeToLive: number;
  /** Milliseconds to wait for an answer to a heartbeat, 0 or more; -1 (at first; cannot be set) is as `heartbeatInterval`. */
  heartbeatTimeout: number;
  /** Milliseconds that connecting may take; 0 (at first) as long as the system lets it. */
  connectTimeout: number;
  /** Milliseconds of unanswered TCP retransmits; 0 (at first) as the system has it. */
  tcpMaxRetransmitTimeout: number;
  /** Bytes read from a connection at once, 16 or more; 16384 at first (libzmq: 8192). */
  inBatchSize: number;
  /** Bytes written to a connection at once, 1 or more; 65536 at first (libzmq: 8192). */
  outBatchSize: number;
  /** Bytes of the largest multicast packet, 1 or more; 1500 at first. */
  multicastMaxTransportDataUnit: number;
  /** Whether multicast messages come back to sockets of this machine; true at first. */
  multicastLoop: boolean;
  /** The network interface to use; null at first. */
  interface: string | null;
  /** A faster loopback on Windows; false at first. */
  loopbackFastPath: boolean;
  /** A property told to peers in the handshake, `X-name:value`, added to those before. */
  metadata: string | null;
  /** VMCI is not in this build: reading and setting throw EINVAL. */
  vmciBufferSize: number;
  /** Not in this build. */
  vmciBufferMinSize: number;
  /** Not in this build. */
  vmciBufferMaxSize: number;
  /** Not in this build. */
  vmciConnectTimeout: number;
}

/** Sockets that a Router can address by a name of their own. */
export interface HasRoutingId {
  /** Our name for Routers: 1 to 255 bytes, of which the first is not 0; bytes can be set too. */
  get routingId(): string | null;
  set routingId(value: string | Uint8Array | null);
}

/** Sockets that may tell a Router that they are there. */
export interface HasProbe {
  /** Send an empty message on each new connection, for Routers; false at first. */
  probeRouter: boolean;
}

/** Sockets that can keep only the last message. */
export interface HasConflate {
  /** Keep one message of one frame, the last; high-water marks do not count; false at first. */
  conflate: boolean;
}

/** Sockets that match subscriptions. */
export interface HasInvertMatching {
  /** Send what does not match instead of what does; false at first. Set it at both ends. */
  invertMatching: boolean;
}

/** Sockets that publish. */
export interface HasNoDrop {
  /** Wait (or reject with EAGAIN) at a subscriber's high-water mark instead of dropping; false at first. */
  noDrop: boolean;
}

/** Sockets that greet. */
export interface HasHelloMessage {
  /** Sent to each peer when it is connected; null (at first) for none; bytes can be set too. */
  get helloMessage(): string | null;
  set helloMessage(value: string | Uint8Array | null);
}

/** Sockets that tell of lost peers. */
export interface HasDisconnectMessage {
  /** Received, as if the peer had sent it, when a peer is lost; null (at first) for none. */
  get disconnectMessage(): string | null;
  set disconnectMessage(value: string | Uint8Array | null);
}

/** Sockets to which subscriptions come as messages. */
export interface HasOnlyFirstSubscribe {
  /** Only the first frame of a message can be a subscription; false at first. */
  onlyFirstSubscribe: boolean;
}
