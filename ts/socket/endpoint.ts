/**
 * What has to be right before libzmq binds or connects: the listener at the address
 * it will choose, what it cannot make itself (directories, names), and what would
 * make it abort.
 */
import {
  type Host,
  type HostAddress,
  HostError,
  type UdpAddress,
} from "../host/host.ts";
import type { Reactor } from "../reactor/reactor.ts";
import { codeOf } from "../syscall/errno.ts";

export interface BindEndpoint {
  /** What to give libzmq. */
  address: string;
  /** To be called after `zmq_bind`: takes back what it did not take, or says why not. */
  settle?(bound: boolean): Promise<HostError | undefined>;
  /** Why the address cannot be bound. */
  error?: { code: string; cause?: HostError };
}

const TARGET_BYTES = 1200;
const BACKLOG = 511;

/** Asks libzmq itself where it would listen: nothing is parsed twice. */
function bindTarget(reactor: Reactor, socket: number, address: string) {
  const { instance } = reactor;
  const { memory } = instance;
  return memory.withString(
    address,
    (ptr) =>
      memory.withSpace(TARGET_BYTES, (out) => {
        const size = instance.resolving(
          address,
          () => reactor.call("zw_bind_target", socket, ptr, out, TARGET_BYTES),
        );
        return size < 0
          ? { code: codeOf(-size), target: "" }
          : { code: undefined, target: memory.text(out, size) };
      }),
  );
}

/** Whether there is a port that is none: libzmq would cut it to 16 bits. */
export function hasWrongPort(address: string): boolean {
  // Most need no regular expression, which takes long the first time.
  const end = address.slice(address.lastIndexOf(":") + 1);
  const isPlain = address.indexOf("/", address.indexOf("://") + 3) < 0;
  if (isPlain && (end === "*" || (Number(end) < 65536 && Number(end) > 0))) {
    return false;
  }
  const port = /^(?:tcp|wss?|udp):\/\/[^/]*:(-?\d+)(?:\/.*)?$/.exec(address)
    ?.[1];
  return port !== undefined && !(Number(port) >= 0 && Number(port) < 65536);
}

/** An endpoint, and where libzmq is going to listen for it, as `zw_bind_target` says. */
interface Chosen extends Pick<BindEndpoint, "address" | "error"> {
  target?: string;
}

/**
 * Prepares for `zmq_bind`; resolves with what to bind. Only looking for a name can
 * take long: that ends when `signal` says so, and rejects with its reason.
 */
export async function endpointToBind(
  reactor: Reactor,
  socket: number,
  address: string,
  signal?: AbortSignal,
): Promise<BindEndpoint> {
  const { host, instance: { fds } } = reactor;
  let found = chooseTarget(reactor, socket, address);
  const { error } = found;
  // Or nobody may say which interfaces there are.
  const isNoInterface = error !== undefined &&
    (error.code === "ENODEV" || error.cause === fds.forbidden);
  const name = isNoInterface &&
    /^(tcp|ws|udp):\/\/([^:\[\]*]+):(.*)$/.exec(address);
  if (name) {
    // Neither an address nor an interface: perhaps the name of a host.
    const [ip] = await unlessAborted(
      host.resolve(name[2]!, 4).catch(() => []),
      signal,
    );
    if (ip !== undefined) {
      const endpoint = `${name[1]}://${ip}:${name[3]}`;
      found = chooseTarget(reactor, socket, endpoint);
    }
  }
  const { address: endpoint, target } = found;
  if (!target) return found;
  if (target.startsWith("u")) return udpToBind(reactor, endpoint, target);
  // A listener closed just before goes first: its port may be wanted again.
  await new Promise<void>((resolve) => host.soon(resolve));
  await fds.prepare(target, BACKLOG);
  if (lacksIpv6(reactor, target)) {
    return endpointToBind(reactor, socket, address, signal);
  }
  // deno-lint-ignore require-await -- what it does is done before it returns
  return { address: endpoint, settle: async () => fds.settle(target) };
}

/** Whether the host has just said that it has no IPv6: libzmq does without from now on. */
function lacksIpv6(reactor: Reactor, target: string): boolean {
  const { fds } = reactor.instance;
  if (!target.startsWith("6 ") || fds.failure(target) !== "EAFNOSUPPORT") {
    return false;
  }
  fds.settle(target);
  reactor.call("zw_no_ipv6");
  return true;
}

/** Rejects with the reason of `signal` as soon as it is aborted. */
function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const done = () => signal.removeEventListener("abort", aborted);
    const aborted = () => {
      done();
      reject(signal.reason);
    };
    signal.addEventListener("abort", aborted);
    promise.then(resolve, reject).finally(done);
  });
}

/** The same at once, for what can be bound at once. */
export function endpointToBindSync(
  reactor: Reactor,
  socket: number,
  address: string,
): Omit<BindEndpoint, "settle"> & { settle?(): HostError | undefined } {
  const { host, instance: { fds } } = reactor;
  const found = chooseTarget(reactor, socket, address);
  const { address: endpoint, target } = found;
  if (!target) return found;
  const refuse = (code: string, message: string) => {
    if (address === "ipc://*") fds.settle(target);
    return { address, error: { code, cause: new HostError(code, message) } };
  };
  const isUdp = target.startsWith("u");
  if (!host.listenSync || isUdp) {
    const message = `${
      isUdp ? "udp" : "this runtime"
    } cannot listen synchronously: use bind()`;
    return refuse("ENOTSUP", message);
  }
  if (fds.isBusy(target)) {
    return refuse("EBUSY", "Another bind to this address is under way");
  }
  fds.prepareSync(target, (where) => host.listenSync!(where, BACKLOG));
  if (lacksIpv6(reactor, target)) {
    return endpointToBindSync(reactor, socket, address);
  }
  return { address: endpoint, settle: () => fds.settle(target) };
}

/** What to give libzmq, and where it is going to listen. */
function chooseTarget(
  reactor: Reactor,
  socket: number,
  address: string,
): Chosen {
  const { fds } = reactor.instance;
  let endpoint = address;
  if (hasWrongPort(address)) return { address, error: { code: "EINVAL" } };
  if (address === "ipc://*") {
    try {
      endpoint = `ipc://${fds.temporaryPath()}`;
    } catch (error) {
      const cause = error as HostError;
      return { address, error: { code: cause.code, cause } };
    }
  }
  const { code, target } = bindTarget(reactor, socket, endpoint);
  if (code === undefined) {
    return target ? { address: endpoint, target } : { address: endpoint };
  }
  // The directory of an address too long for a socket.
  if (address === "ipc://*") fds.settle(`1 ${endpoint.slice(6)}`);
  const cause = code === "ENODEV" ? fds.forbidden : undefined;
  return { address, error: cause ? { code: cause.code, cause } : { code } };
}

/** How often libzmq is run until it takes a datagram socket, which it is sure to do soon. */
const PATIENCE = 100;

async function udpToBind(
  reactor: Reactor,
  address: string,
  target: string,
): Promise<BindEndpoint> {
  const { datagrams } = reactor.instance.fds;
  try {
    const [, host, port] = target.split(" ");
    reactor.host.datagrams?.check("bind", {
      kind: "udp",
      host: host!,
      port: Number(port),
    });
    const { key, port: bound } = await datagrams.prepare(target);
    return {
      // libzmq would never tell which port it got.
      address: address.replace(/:[*0]$/, `:${bound}`),
      async settle(bound) {
        // Unlike a listener, it is not taken by zmq_bind but by what it started.
        for (let i = 0; bound && datagrams.waits(key) && i < PATIENCE; i++) {
          reactor.pump();
          if (datagrams.waits(key)) await reactor.yield();
        }
        datagrams.settle(key);
        return undefined;
      },
    };
  } catch (error) {
    const cause = error as HostError;
    return { address, error: { code: cause.code, cause } };
  }
}

function udpAddress(address: string): UdpAddress | undefined {
  const udp = /^udp:\/\/(?:([^;]*);)?\[?([^\]]*?)\]?:(\d+)$/.exec(address);
  return udp
    ? { kind: "udp", host: udp[2]!, port: Number(udp[3]), via: udp[1] }
    : undefined;
}

/** Throws a HostError if the runtime is known not to let us connect there. */
export function checkConnect(
  host: Host,
  address: string,
  proxy: string | null,
): void {
  const udp = udpAddress(address);
  if (udp) host.datagrams?.check("connect", udp);
  const proxied = proxy !== null && address.startsWith("tcp:");
  const to = connectTarget(proxied ? `tcp://${proxy}` : address);
  if (to) host.checkConnect(to, proxied ? undefined : connectSource(address));
}

/** Where an endpoint would connect to, as far as the runtime is concerned. */
function connectTarget(address: string): HostAddress | undefined {
  const tcp = /^(?:tcp|ws):\/\/(?:[^;]*;)?\[?([^\]]*?)\]?:(\d+)(?:\/.*)?$/.exec(
    address,
  );
  if (tcp) {
    return { kind: "tcp", host: tcp[1]!, port: Number(tcp[2]), family: 0 };
  }
  return address.startsWith("ipc://")
    ? { kind: "ipc", path: address.slice(6).replace(/^@/, "\0") }
    : undefined;
}

/** The "host:port" to connect from, if the endpoint has one. */
function connectSource(address: string): string | undefined {
  return /^tcp:\/\/([^;]*);/.exec(address)?.[1];
}

/** Of a host, for a SOCKS proxy. */
const MOST_NAME_BYTES = 255;
const ZAP_ENDPOINT = "inproc://zeromq.zap.01";

/**
 * Why a socket must not be bound or connected with the options it has, or undefined.
 * libzmq would take them and, when a peer comes, abort (PLAIN, SOCKS) or let it in without
 * asking the ZAP handler (CURVE), or send what it should not (ws); with udp, try and
 * fail without end (interface).
 */
export function optionFault(
  socket: {
    readonly type: number;
    readonly interface: string | null;
    readonly zapDomain: string | null;
    readonly zapEnforceDomain: boolean;
    readonly socksProxy: string | null;
  },
  address: string,
  handlerTypes: readonly number[],
): string | undefined {
  if (address === ZAP_ENDPOINT && !handlerTypes.includes(socket.type)) {
    return "A ZAP handler must be a Reply or a Router";
  }
  if (
    socket.zapEnforceDomain && socket.zapDomain === null
  ) return "zapEnforceDomain is set, but there is no zapDomain";
  if (address.startsWith("udp:") && socket.interface !== null) {
    return "No runtime binds to a device: instead of interface, use udp://interface;group:port";
  }
  // It is sent as it is, from a buffer of 8 KiB.
  if (address.startsWith("ws:") && !/^[!-~]{1,4096}$/.test(address)) {
    return "A ws endpoint is at most 4096 characters of ASCII, without spaces";
  }
  if (
    address.length > MOST_NAME_BYTES &&
    /^tcp:\/\/.{256,}:/.test(address) && socket.socksProxy !== null
  ) {
    return "A SOCKS proxy takes host names of at most 255 bytes";
  }
  return undefined;
}
