/**
 * What the options of version 5 are in version 6: their numbers, their short names,
 * and how their values differ.
 */
import type * as zmq from "zeromq-wasm";
import * as C from "./constants.ts";

/** The options that are properties of a socket, by their short name. */
export const shortOptions = {
  _fd: C.ZMQ_FD,
  _ioevents: C.ZMQ_EVENTS,
  _receiveMore: C.ZMQ_RCVMORE,
  _subscribe: C.ZMQ_SUBSCRIBE,
  _unsubscribe: C.ZMQ_UNSUBSCRIBE,
  affinity: C.ZMQ_AFFINITY,
  backlog: C.ZMQ_BACKLOG,
  identity: C.ZMQ_IDENTITY,
  linger: C.ZMQ_LINGER,
  rate: C.ZMQ_RATE,
  rcvbuf: C.ZMQ_RCVBUF,
  last_endpoint: C.ZMQ_LAST_ENDPOINT,
  reconnect_ivl: C.ZMQ_RECONNECT_IVL,
  recovery_ivl: C.ZMQ_RECOVERY_IVL,
  sndbuf: C.ZMQ_SNDBUF,
  mechanism: C.ZMQ_MECHANISM,
  plain_server: C.ZMQ_PLAIN_SERVER,
  plain_username: C.ZMQ_PLAIN_USERNAME,
  plain_password: C.ZMQ_PLAIN_PASSWORD,
  curve_server: C.ZMQ_CURVE_SERVER,
  curve_publickey: C.ZMQ_CURVE_PUBLICKEY,
  curve_secretkey: C.ZMQ_CURVE_SECRETKEY,
  curve_serverkey: C.ZMQ_CURVE_SERVERKEY,
  zap_domain: C.ZMQ_ZAP_DOMAIN,
  heartbeat_ivl: C.ZMQ_HEARTBEAT_IVL,
  heartbeat_ttl: C.ZMQ_HEARTBEAT_TTL,
  heartbeat_timeout: C.ZMQ_HEARTBEAT_TIMEOUT,
  connect_timeout: C.ZMQ_CONNECT_TIMEOUT,
};

/** A socket of version 6, whose properties depend on its type. */
type Bag = Record<string, unknown>;

interface Translation {
  get?(socket: Bag): unknown;
  set?(socket: Bag, value: unknown): void;
}

/** The same value under another name. */
function same(name: string): Translation {
  return {
    get: (socket) => socket[name],
    set(socket, value) {
      socket[name] = value;
    },
  };
}

/** 1 and 0, where version 6 has true and false. */
function flag(name: string): Translation {
  return {
    get: (socket) => socket[name] ? 1 : 0,
    set(socket, value) {
      socket[name] = Boolean(value);
    },
  };
}

function readOnly({ get }: Translation): Translation {
  return get ? { get } : {};
}

function writeOnly({ set }: Translation): Translation {
  return set ? { set } : {};
}

function unsupported(name: string): Translation {
  const refuse = () => {
    throw new Error(`${name} is not supported in compatibility mode`);
  };
  return { get: refuse, set: refuse };
}

const MECHANISMS = [null, "plain", "curve", "gssapi"];

function prefix(method: "subscribe" | "unsubscribe"): Translation {
  return {
    set: (socket, value) =>
      (socket as unknown as zmq.Subscriber)[method](
        value as string,
      ),
  };
}

const TRANSLATIONS: ReadonlyMap<number, Translation> = new Map([
  [C.ZMQ_AFFINITY, same("affinity")],
  [C.ZMQ_IDENTITY, same("routingId")],
  [C.ZMQ_SUBSCRIBE, prefix("subscribe")],
  [C.ZMQ_UNSUBSCRIBE, prefix("unsubscribe")],
  [C.ZMQ_RATE, same("rate")],
  // ZMQ_RECOVERY_IVL_MSEC has the same number.
  [C.ZMQ_RECOVERY_IVL, same("recoveryInterval")],
  [C.ZMQ_SNDBUF, same("sendBufferSize")],
  [C.ZMQ_RCVBUF, same("receiveBufferSize")],
  [C.ZMQ_RCVMORE, readOnly(unsupported("ZMQ_RCVMORE"))],
  [C.ZMQ_FD, readOnly(unsupported("ZMQ_FD"))],
  [C.ZMQ_EVENTS, {
    get: ({ readable, writable }) =>
      (readable ? C.ZMQ_POLLIN : 0) | (writable ? C.ZMQ_POLLOUT : 0),
  }],
  [C.ZMQ_TYPE, readOnly(same("type"))],
  [C.ZMQ_LINGER, same("linger")],
  [C.ZMQ_RECONNECT_IVL, same("reconnectInterval")],
  [C.ZMQ_BACKLOG, same("backlog")],
  [C.ZMQ_RECONNECT_IVL_MAX, same("reconnectMaxInterval")],
  [C.ZMQ_MAXMSGSIZE, same("maxMessageSize")],
  [C.ZMQ_SNDHWM, same("sendHighWaterMark")],
  [C.ZMQ_RCVHWM, same("receiveHighWaterMark")],
  [C.ZMQ_MULTICAST_HOPS, same("multicastHops")],
  [C.ZMQ_RCVTIMEO, same("receiveTimeout")],
  [C.ZMQ_SNDTIMEO, same("sendTimeout")],
  [C.ZMQ_IPV4ONLY, {
    get: ({ ipv6 }) => !ipv6,
    set(socket, value) {
      socket["ipv6"] = !value;
    },
  }],
  [C.ZMQ_LAST_ENDPOINT, readOnly(same("lastEndpoint"))],
  [C.ZMQ_ROUTER_MANDATORY, flag("mandatory")],
  [C.ZMQ_TCP_KEEPALIVE, same("tcpKeepalive")],
  [C.ZMQ_TCP_KEEPALIVE_CNT, same("tcpKeepaliveCount")],
  [C.ZMQ_TCP_KEEPALIVE_IDLE, same("tcpKeepaliveIdle")],
  [C.ZMQ_TCP_KEEPALIVE_INTVL, same("tcpKeepaliveInterval")],
  [C.ZMQ_TCP_ACCEPT_FILTER, writeOnly(same("tcpAcceptFilter"))],
  [C.ZMQ_DELAY_ATTACH_ON_CONNECT, flag("immediate")],
  [C.ZMQ_XPUB_VERBOSE, {
    get() {
      throw new Error("Reading ZMQ_XPUB_VERBOSE is not supported");
    },
    set(socket, value) {
      socket["verbosity"] = value ? "allSubs" : null;
    },
  }],
  [C.ZMQ_ROUTER_RAW, unsupported("ZMQ_ROUTER_RAW")],
  [C.ZMQ_IPV6, flag("ipv6")],
  [C.ZMQ_MECHANISM, {
    get: ({ securityMechanism }) =>
      MECHANISMS.indexOf(securityMechanism as string | null),
  }],
  [C.ZMQ_PLAIN_SERVER, flag("plainServer")],
  [C.ZMQ_PLAIN_USERNAME, same("plainUsername")],
  [C.ZMQ_PLAIN_PASSWORD, same("plainPassword")],
  [C.ZMQ_CURVE_SERVER, flag("curveServer")],
  [C.ZMQ_CURVE_PUBLICKEY, same("curvePublicKey")],
  [C.ZMQ_CURVE_SECRETKEY, same("curveSecretKey")],
  [C.ZMQ_CURVE_SERVERKEY, same("curveServerKey")],
  [C.ZMQ_ZAP_DOMAIN, same("zapDomain")],
  [C.ZMQ_ROUTER_HANDOVER, writeOnly(flag("handover"))],
  [C.ZMQ_HEARTBEAT_IVL, same("heartbeatInterval")],
  [C.ZMQ_HEARTBEAT_TTL, same("heartbeatTimeToLive")],
  [C.ZMQ_HEARTBEAT_TIMEOUT, same("heartbeatTimeout")],
  [C.ZMQ_CONNECT_TIMEOUT, same("connectTimeout")],
]);

export type OptionName = number | keyof typeof shortOptions;

function translate(option: OptionName): Translation {
  const id = typeof option === "number" ? option : shortOptions[option];
  return TRANSLATIONS.get(id) ?? {};
}

export function read(socket: zmq.Socket, option: OptionName): unknown {
  const { get } = translate(option);
  if (!get) throw new Error("Unknown option");
  return get(socket as unknown as Bag);
}

export function write(
  socket: zmq.Socket,
  option: OptionName,
  value: unknown,
): void {
  const { set } = translate(option);
  if (!set) throw new Error("Unknown option");
  set(socket as unknown as Bag, value);
}
