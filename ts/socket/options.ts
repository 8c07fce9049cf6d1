/**
 * Socket and context options: their names in the API, libzmq's numbers and types,
 * and which socket types have them (man zmq_setsockopt, zmq_getsockopt).
 */
import * as C from "zeromq-wasm:constants";

/**
 * How libzmq stores the value. "text" is a string without zero bytes; "bytes" has a
 * length; "key" is 40 characters of Z85 or 32 bytes.
 */
export type OptionKind =
  | "bool"
  | "i32"
  | "u32"
  | "i64"
  | "u64"
  | "text"
  | "bytes"
  | "key";

export interface Option {
  readonly id: number;
  readonly kind: OptionKind;
  /** "rw" unless said otherwise. "w": libzmq cannot be asked, the last value is kept here. */
  readonly access?: "r" | "w";
  /** What "w" options read as before they are set. */
  readonly initial?: unknown;
  /** Takes effect at once, also for endpoints that are there. */
  readonly live?: true;
  /** What libzmq takes, for the error when it does not take something. */
  readonly takes?: string;
  /** The largest value, where libzmq does not look itself; the least is then 0. */
  readonly most?: number;
}

export type Options = Readonly<Record<string, Option>>;
type Details = Pick<
  Option,
  "access" | "initial" | "live" | "most" | "takes"
>;

function option(id: number, kind: OptionKind, details?: Details): Option {
  return { id, kind, ...details };
}

type Make = (id: number, details?: Details) => Option;
const i32: Make = (id, details) => option(id, "i32", details);
const bool: Make = (id, details) => option(id, "bool", details);
const text: Make = (id, details) =>
  option(id, "text", { takes: "at most 255 bytes", ...details });
const bytes: Make = (id, details) => option(id, "bytes", details);
const key: Make = (id) =>
  option(id, "key", { takes: "40 characters of Z85, or 32 bytes" });

const LIVE = { live: true } as const;
const READ = { access: "r" } as const;
/** A flag that libzmq lets be set only. */
const FLAG = { access: "w", initial: false } as const;
const LIVE_FLAG = { ...FLAG, ...LIVE } as const;

const POSITIVE = { takes: "1 or more" };
const BATCH = { takes: "16 or more" };
const NATURAL = { takes: "0 or more" };
/** Milliseconds. */
const MS = { takes: "milliseconds, 0 or more" };
const MS_OR_NOT = { takes: "milliseconds, or -1" };
const LIVE_COUNT = { takes: "messages, or 0 for no limit", ...LIVE };
const TEXT_OR_NONE = { takes: "1 to 255 bytes, or null" };

/** Whether a number of C has room for the value. */
export function fits(value: number, least: number, most: number): boolean {
  return Math.trunc(value) >= least && Math.trunc(value) <= most;
}

/** Options of every socket. */
export const COMMON: Options = {
  type: i32(C.ZMQ_TYPE, READ),
  lastEndpoint: text(C.ZMQ_LAST_ENDPOINT, READ),
  threadSafe: bool(C.ZMQ_THREAD_SAFE, READ),
  affinity: option(C.ZMQ_AFFINITY, "u64"),
  rate: i32(C.ZMQ_RATE, { takes: "kilobits per second, 1 or more" }),
  recoveryInterval: i32(C.ZMQ_RECOVERY_IVL, MS),
  linger: i32(C.ZMQ_LINGER, { ...MS_OR_NOT, ...LIVE }),
  reconnectInterval: i32(C.ZMQ_RECONNECT_IVL, MS_OR_NOT),
  reconnectMaxInterval: i32(C.ZMQ_RECONNECT_IVL_MAX, MS),
  reconnectStop: i32(C.ZMQ_RECONNECT_STOP, { takes: "0 to 3", most: 3 }),
  backlog: i32(C.ZMQ_BACKLOG, NATURAL),
  maxMessageSize: option(C.ZMQ_MAXMSGSIZE, "i64"),
  tcpKeepalive: i32(C.ZMQ_TCP_KEEPALIVE, { takes: "-1, 0 or 1" }),
  tcpKeepaliveCount: i32(C.ZMQ_TCP_KEEPALIVE_CNT, {
    takes: "1 or more, or -1",
  }),
  tcpKeepaliveIdle: i32(C.ZMQ_TCP_KEEPALIVE_IDLE, {
    takes: "seconds, 1 or more, or -1",
  }),
  tcpKeepaliveInterval: i32(C.ZMQ_TCP_KEEPALIVE_INTVL, {
    takes: "seconds, 1 or more, or -1",
  }),
  tcpAcceptFilter: text(C.ZMQ_TCP_ACCEPT_FILTER, {
    access: "w",
    initial: null,
    takes: "an address with or without /bits",
  }),
  immediate: bool(C.ZMQ_IMMEDIATE),
  ipv6: bool(C.ZMQ_IPV6),
  plainServer: bool(C.ZMQ_PLAIN_SERVER),
  plainUsername: text(C.ZMQ_PLAIN_USERNAME, TEXT_OR_NONE),
  plainPassword: text(C.ZMQ_PLAIN_PASSWORD, TEXT_OR_NONE),
  curveServer: bool(C.ZMQ_CURVE_SERVER),
  curvePublicKey: key(C.ZMQ_CURVE_PUBLICKEY),
  curveSecretKey: key(C.ZMQ_CURVE_SECRETKEY),
  curveServerKey: key(C.ZMQ_CURVE_SERVERKEY),
  zapDomain: text(C.ZMQ_ZAP_DOMAIN),
  zapEnforceDomain: bool(C.ZMQ_ZAP_ENFORCE_DOMAIN),
  typeOfService: option(C.ZMQ_TOS, "u32", { takes: "0 to 255" }),
  priority: i32(C.ZMQ_PRIORITY, NATURAL),
  handshakeInterval: i32(C.ZMQ_HANDSHAKE_IVL, MS),
  socksProxy: text(C.ZMQ_SOCKS_PROXY, { takes: "host:port, or null" }),
  socksUsername: text(C.ZMQ_SOCKS_USERNAME, TEXT_OR_NONE),
  socksPassword: text(C.ZMQ_SOCKS_PASSWORD, TEXT_OR_NONE),
  heartbeatInterval: i32(C.ZMQ_HEARTBEAT_IVL, MS),
  heartbeatTimeToLive: i32(C.ZMQ_HEARTBEAT_TTL, {
    takes: "milliseconds, 0 to 6553599",
  }),
  heartbeatTimeout: i32(C.ZMQ_HEARTBEAT_TIMEOUT, MS),
  connectTimeout: i32(C.ZMQ_CONNECT_TIMEOUT, MS),
  tcpMaxRetransmitTimeout: i32(C.ZMQ_TCP_MAXRT, MS),
  inBatchSize: i32(C.ZMQ_IN_BATCH_SIZE, BATCH),
  outBatchSize: i32(C.ZMQ_OUT_BATCH_SIZE, POSITIVE),
  multicastMaxTransportDataUnit: i32(C.ZMQ_MULTICAST_MAXTPDU, POSITIVE),
  multicastLoop: bool(C.ZMQ_MULTICAST_LOOP),
  interface: text(C.ZMQ_BINDTODEVICE, { takes: "the name of an interface" }),
  loopbackFastPath: bool(C.ZMQ_LOOPBACK_FASTPATH),
  metadata: text(C.ZMQ_METADATA, {
    access: "w",
    initial: null,
    takes: "X-name:value",
  }),
  vmciBufferSize: option(C.ZMQ_VMCI_BUFFER_SIZE, "u64"),
  vmciBufferMinSize: option(C.ZMQ_VMCI_BUFFER_MIN_SIZE, "u64"),
  vmciBufferMaxSize: option(C.ZMQ_VMCI_BUFFER_MAX_SIZE, "u64"),
  vmciConnectTimeout: i32(C.ZMQ_VMCI_CONNECT_TIMEOUT),
};

export const SENDER: Options = {
  sendBufferSize: i32(C.ZMQ_SNDBUF, { takes: "bytes, or -1" }),
  sendHighWaterMark: i32(C.ZMQ_SNDHWM, LIVE_COUNT),
  sendTimeout: i32(C.ZMQ_SNDTIMEO, { ...MS_OR_NOT, ...LIVE }),
  multicastHops: i32(C.ZMQ_MULTICAST_HOPS, POSITIVE),
};

export const RECEIVER: Options = {
  receiveBufferSize: i32(C.ZMQ_RCVBUF, { takes: "bytes, or -1" }),
  receiveHighWaterMark: i32(C.ZMQ_RCVHWM, LIVE_COUNT),
  receiveTimeout: i32(C.ZMQ_RCVTIMEO, { ...MS_OR_NOT, ...LIVE }),
};

export const ROUTING_ID: Options = {
  routingId: bytes(C.ZMQ_ROUTING_ID, {
    takes: "1 to 255 bytes, the first of which is not 0",
  }),
};
export const CONFLATE: Options = { conflate: bool(C.ZMQ_CONFLATE) };
export const PROBE: Options = {
  probeRouter: bool(C.ZMQ_PROBE_ROUTER, LIVE_FLAG),
};
export const REQUEST: Options = {
  correlate: bool(C.ZMQ_REQ_CORRELATE, LIVE_FLAG),
  relaxed: bool(C.ZMQ_REQ_RELAXED, LIVE_FLAG),
};
export const ROUTER: Options = {
  mandatory: bool(C.ZMQ_ROUTER_MANDATORY, LIVE_FLAG),
  handover: bool(C.ZMQ_ROUTER_HANDOVER, LIVE_FLAG),
  routerNotify: i32(C.ZMQ_ROUTER_NOTIFY, { takes: "the sum of 1 and 2" }),
};
const message = { access: "w", initial: null } as const;
/** A message to each new peer. */
export const HELLO: Options = { helloMessage: bytes(C.ZMQ_HELLO_MSG, message) };
/** A message from each peer that is lost. */
export const GOODBYE: Options = {
  disconnectMessage: bytes(C.ZMQ_DISCONNECT_MSG, message),
};
export const INVERT: Options = { invertMatching: bool(C.ZMQ_INVERT_MATCHING) };
export const NO_DROP: Options = { noDrop: bool(C.ZMQ_XPUB_NODROP, FLAG) };
export const PUBLISHER: Options = { ...NO_DROP, ...INVERT };
export const FIRST_ONLY: Options = {
  onlyFirstSubscribe: bool(C.ZMQ_ONLY_FIRST_SUBSCRIBE, LIVE_FLAG),
};
export const XPUBLISHER: Options = {
  ...PUBLISHER,
  ...FIRST_ONLY,
  manual: bool(C.ZMQ_XPUB_MANUAL, FLAG),
  manualLastValue: bool(C.ZMQ_XPUB_MANUAL_LAST_VALUE, FLAG),
  welcomeMessage: bytes(C.ZMQ_XPUB_WELCOME_MSG, message),
};
export const STREAM: Options = {
  notify: bool(C.ZMQ_STREAM_NOTIFY, { access: "w", initial: true }),
};

/** Options of a context: read and set by zmq_ctx_get and zmq_ctx_set. */
export const CONTEXT: Options = {
  ioThreads: i32(C.ZMQ_IO_THREADS, NATURAL),
  maxSockets: i32(C.ZMQ_MAX_SOCKETS, POSITIVE),
  maxSocketsLimit: i32(C.ZMQ_SOCKET_LIMIT, READ),
  maxMessageSize: i32(C.ZMQ_MAX_MSGSZ, { takes: "bytes, 0 or more" }),
  ipv6: bool(C.ZMQ_IPV6),
  blocky: bool(C.ZMQ_BLOCKY),
  threadPriority: i32(C.ZMQ_THREAD_PRIORITY, {
    access: "w",
    initial: -1,
    ...NATURAL,
  }),
  threadSchedulingPolicy: i32(C.ZMQ_THREAD_SCHED_POLICY, {
    access: "w",
    initial: -1,
    ...NATURAL,
  }),
};

/** What is set by a method, not by a property. */
export const SUBSCRIBE: Option = bytes(C.ZMQ_SUBSCRIBE, LIVE);
export const UNSUBSCRIBE: Option = bytes(C.ZMQ_UNSUBSCRIBE, {
  takes: "a prefix that was subscribed to",
  ...LIVE,
});
export const CONNECT_ROUTING_ID: Option = bytes(C.ZMQ_CONNECT_ROUTING_ID, {
  takes: "1 to 255 bytes, the first of which is not 0",
  ...LIVE,
});
export const XPUB_VERBOSE: Option = bool(C.ZMQ_XPUB_VERBOSE, LIVE_FLAG);
export const XPUB_VERBOSER: Option = bool(C.ZMQ_XPUB_VERBOSER, LIVE_FLAG);

let liveIds: Set<number> | undefined;

function allLiveIds(): Set<number> {
  const groups = [COMMON, SENDER, RECEIVER, PROBE, REQUEST, ROUTER, FIRST_ONLY];
  const options = [
    ...groups.flatMap((group) => Object.values(group)),
    SUBSCRIBE,
    UNSUBSCRIBE,
    CONNECT_ROUTING_ID,
    XPUB_VERBOSE,
    XPUB_VERBOSER,
  ];
  return new Set(options.filter(({ live }) => live).map(({ id }) => id));
}

/** Whether the option of that number takes effect at once. */
export function isLive(id: number): boolean {
  liveIds ??= allLiveIds();
  return liveIds.has(id);
}
