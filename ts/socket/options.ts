/**
 * Socket and context options: their names in the API, libzmq's numbers and types,
 * and which socket types have them (man zmq_setsockopt, zmq_getsockopt).
 */

export type OptionKind = "bool" | "i32" | "u32" | "i64" | "u64" | "text";

export interface Option {
  readonly id: number;
  readonly kind: OptionKind;
  /** "rw" unless said otherwise. */
  readonly access?: "r" | "w";
}

type Options = Readonly<Record<string, Option>>;

const i32 = (id: number): Option => ({ id, kind: "i32" });
const bool = (id: number): Option => ({ id, kind: "bool" });
const text = (id: number): Option => ({ id, kind: "text" });
const writeOnly = (option: Option): Option => ({ ...option, access: "w" });
const readOnly = (option: Option): Option => ({ ...option, access: "r" });

/** Options of every socket. */
export const COMMON: Options = {
  type: readOnly(i32(16)),
  lastEndpoint: readOnly(text(32)),
  threadSafe: readOnly(bool(81)),
  affinity: { id: 4, kind: "u64" },
  rate: i32(8),
  recoveryInterval: i32(9),
  linger: i32(17),
  reconnectInterval: i32(18),
  backlog: i32(19),
  reconnectMaxInterval: i32(21),
  maxMessageSize: { id: 22, kind: "i64" },
  tcpKeepalive: i32(34),
  tcpKeepaliveCount: i32(35),
  tcpKeepaliveIdle: i32(36),
  tcpKeepaliveInterval: i32(37),
  tcpAcceptFilter: text(38),
  immediate: bool(39),
  ipv6: bool(42),
  plainServer: bool(44),
  plainUsername: text(45),
  plainPassword: text(46),
  curveServer: bool(47),
  curvePublicKey: text(48),
  curveSecretKey: text(49),
  curveServerKey: text(50),
  zapDomain: text(55),
  typeOfService: { id: 57, kind: "u32" },
  handshakeInterval: i32(66),
  heartbeatInterval: i32(75),
  heartbeatTimeToLive: i32(76),
  heartbeatTimeout: i32(77),
  connectTimeout: i32(79),
  tcpMaxRetransmitTimeout: i32(80),
  interface: text(92),
  zapEnforceDomain: bool(93),
};

export const SENDER: Options = {
  sendBufferSize: i32(11),
  sendHighWaterMark: i32(23),
  sendTimeout: i32(28),
};

export const RECEIVER: Options = {
  receiveBufferSize: i32(12),
  receiveHighWaterMark: i32(24),
  receiveTimeout: i32(27),
};

export const ROUTING_ID: Options = { routingId: text(5) };
export const CONFLATE: Options = { conflate: writeOnly(bool(54)) };
export const PROBE: Options = { probeRouter: writeOnly(bool(51)) };
export const REQUEST: Options = {
  correlate: writeOnly(bool(52)),
  relaxed: writeOnly(bool(53)),
};
export const ROUTER: Options = {
  mandatory: writeOnly(bool(33)),
  handover: writeOnly(bool(56)),
};
export const PUBLISHER: Options = {
  noDrop: writeOnly(bool(69)),
  invertMatching: bool(74),
};
export const INVERT: Options = { invertMatching: bool(74) };
export const XPUBLISHER: Options = {
  noDrop: writeOnly(bool(69)),
  invertMatching: bool(74),
  manual: writeOnly(bool(71)),
  welcomeMessage: writeOnly(text(72)),
};
export const STREAM: Options = { notify: writeOnly(bool(73)) };

/** Options of a context: read and set by zmq_ctx_get and zmq_ctx_set. */
export const CONTEXT: Options = {
  ioThreads: i32(1),
  maxSockets: i32(2),
  maxSocketsLimit: readOnly(i32(3)),
  maxMessageSize: i32(5),
  ipv6: bool(42),
  blocky: bool(70),
};

export const SUBSCRIBE = 6, UNSUBSCRIBE = 7, CONNECT_ROUTING_ID = 61;
export const SECURITY_MECHANISM = 43, XPUB_VERBOSE = 40, XPUB_VERBOSER = 78;
