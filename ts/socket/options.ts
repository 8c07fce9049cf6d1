/**
 * Socket and context options: their names in the API, libzmq's numbers and types,
 * and which socket types have them (man zmq_setsockopt, zmq_getsockopt).
 */
import { constants } from "zeromq-wasm:constants";

export type OptionKind = "bool" | "i32" | "u32" | "i64" | "u64" | "text";

export interface Option {
  readonly id: number;
  readonly kind: OptionKind;
  /** "rw" unless said otherwise. */
  readonly access?: "r" | "w";
}

type Options = Readonly<Record<string, Option>>;

/** An option by the name it has in zmq.h, without the prefix. */
function option(name: string, kind: OptionKind): Option {
  const id = constants[`ZMQ_${name}`];
  if (id === undefined) throw new Error(`no option ${name} in zmq.h`);
  return { id, kind };
}

const i32 = (name: string): Option => option(name, "i32");
const u32 = (name: string): Option => option(name, "u32");
const i64 = (name: string): Option => option(name, "i64");
const u64 = (name: string): Option => option(name, "u64");
const bool = (name: string): Option => option(name, "bool");
const text = (name: string): Option => option(name, "text");
const writeOnly = (option: Option): Option => ({ ...option, access: "w" });
const readOnly = (option: Option): Option => ({ ...option, access: "r" });

/** Whether a number of C has room for the value. */
export function fits(value: number, least: number, most: number): boolean {
  return Math.trunc(value) >= least && Math.trunc(value) <= most;
}

/** Options of every socket. */
export const COMMON: Options = {
  type: readOnly(i32("TYPE")),
  lastEndpoint: readOnly(text("LAST_ENDPOINT")),
  threadSafe: readOnly(bool("THREAD_SAFE")),
  affinity: u64("AFFINITY"),
  rate: i32("RATE"),
  recoveryInterval: i32("RECOVERY_IVL"),
  linger: i32("LINGER"),
  reconnectInterval: i32("RECONNECT_IVL"),
  backlog: i32("BACKLOG"),
  reconnectMaxInterval: i32("RECONNECT_IVL_MAX"),
  maxMessageSize: i64("MAXMSGSIZE"),
  tcpKeepalive: i32("TCP_KEEPALIVE"),
  tcpKeepaliveCount: i32("TCP_KEEPALIVE_CNT"),
  tcpKeepaliveIdle: i32("TCP_KEEPALIVE_IDLE"),
  tcpKeepaliveInterval: i32("TCP_KEEPALIVE_INTVL"),
  tcpAcceptFilter: text("TCP_ACCEPT_FILTER"),
  immediate: bool("IMMEDIATE"),
  ipv6: bool("IPV6"),
  plainServer: bool("PLAIN_SERVER"),
  plainUsername: text("PLAIN_USERNAME"),
  plainPassword: text("PLAIN_PASSWORD"),
  curveServer: bool("CURVE_SERVER"),
  curvePublicKey: text("CURVE_PUBLICKEY"),
  curveSecretKey: text("CURVE_SECRETKEY"),
  curveServerKey: text("CURVE_SERVERKEY"),
  zapDomain: text("ZAP_DOMAIN"),
  typeOfService: u32("TOS"),
  handshakeInterval: i32("HANDSHAKE_IVL"),
  heartbeatInterval: i32("HEARTBEAT_IVL"),
  heartbeatTimeToLive: i32("HEARTBEAT_TTL"),
  heartbeatTimeout: i32("HEARTBEAT_TIMEOUT"),
  connectTimeout: i32("CONNECT_TIMEOUT"),
  tcpMaxRetransmitTimeout: i32("TCP_MAXRT"),
  interface: text("BINDTODEVICE"),
  socksProxy: text("SOCKS_PROXY"),
  socksUsername: text("SOCKS_USERNAME"),
  socksPassword: text("SOCKS_PASSWORD"),
  zapEnforceDomain: bool("ZAP_ENFORCE_DOMAIN"),
};

export const SENDER: Options = {
  sendBufferSize: i32("SNDBUF"),
  sendHighWaterMark: i32("SNDHWM"),
  sendTimeout: i32("SNDTIMEO"),
  multicastHops: i32("MULTICAST_HOPS"),
};

export const RECEIVER: Options = {
  receiveBufferSize: i32("RCVBUF"),
  receiveHighWaterMark: i32("RCVHWM"),
  receiveTimeout: i32("RCVTIMEO"),
};

export const ROUTING_ID: Options = { routingId: text("ROUTING_ID") };
export const CONFLATE: Options = { conflate: writeOnly(bool("CONFLATE")) };
export const PROBE: Options = { probeRouter: writeOnly(bool("PROBE_ROUTER")) };
export const REQUEST: Options = {
  correlate: writeOnly(bool("REQ_CORRELATE")),
  relaxed: writeOnly(bool("REQ_RELAXED")),
};
export const ROUTER: Options = {
  mandatory: writeOnly(bool("ROUTER_MANDATORY")),
  handover: writeOnly(bool("ROUTER_HANDOVER")),
};
export const PUBLISHER: Options = {
  noDrop: writeOnly(bool("XPUB_NODROP")),
  invertMatching: bool("INVERT_MATCHING"),
};
export const INVERT: Options = { invertMatching: bool("INVERT_MATCHING") };
export const XPUBLISHER: Options = {
  noDrop: writeOnly(bool("XPUB_NODROP")),
  invertMatching: bool("INVERT_MATCHING"),
  manual: writeOnly(bool("XPUB_MANUAL")),
  welcomeMessage: writeOnly(text("XPUB_WELCOME_MSG")),
};
export const STREAM: Options = { notify: writeOnly(bool("STREAM_NOTIFY")) };

/** Options of a context: read and set by zmq_ctx_get and zmq_ctx_set. */
export const CONTEXT: Options = {
  ioThreads: i32("IO_THREADS"),
  maxSockets: i32("MAX_SOCKETS"),
  maxSocketsLimit: readOnly(i32("SOCKET_LIMIT")),
  maxMessageSize: i32("MAX_MSGSZ"),
  ipv6: bool("IPV6"),
  blocky: bool("BLOCKY"),
};

/** What is set by a method, not by a property. */
export const SUBSCRIBE: Option = text("SUBSCRIBE");
export const UNSUBSCRIBE: Option = text("UNSUBSCRIBE");
export const CONNECT_ROUTING_ID: Option = text("CONNECT_ROUTING_ID");
export const XPUB_VERBOSE: Option = bool("XPUB_VERBOSE");
export const XPUB_VERBOSER: Option = bool("XPUB_VERBOSER");
