/**
 * What has to be right before libzmq binds or connects: the listener at the address
 * it will choose, what it cannot make itself (directories, names), and what would
 * make it abort.
 */
import type { HostAddress, HostError } from "../host/host.ts";
import type { Reactor } from "../reactor/reactor.ts";
import { codeOf } from "../syscall/errno.ts";

export interface BindEndpoint {
  /** What to give libzmq. */
  address: string;
  /** The prepared listener to settle afterwards. */
  target?: string;
  /** Why the address cannot be bound. */
  error?: { code: string; cause?: HostError };
}

const TARGET_BYTES = 1200;
const BACKLOG = 511;

/** Asks libzmq itself where it would listen: nothing is parsed twice. */
function bindTarget(reactor: Reactor, socket: number, address: string) {
  const { memory } = reactor.instance;
  return memory.withString(
    address,
    (ptr) =>
      memory.withSpace(TARGET_BYTES, (out) => {
        const size = reactor.call(
          "zw_bind_target",
          socket,
          ptr,
          out,
          TARGET_BYTES,
        );
        return size < 0
          ? { code: codeOf(-size), target: "" }
          : { code: undefined, target: memory.text(out, size) };
      }),
  );
}

/** Whether there is a port that is none: libzmq would cut it to 16 bits. */
export function hasWrongPort(address: string): boolean {
  const port = /^(?:tcp|wss?):\/\/.*:(-?\d+)(?:\/.*)?$/.exec(address)?.[1];
  return port !== undefined && !(Number(port) >= 0 && Number(port) < 65536);
}

/** Prepares for `zmq_bind`; resolves with what to bind. */
export async function endpointToBind(
  reactor: Reactor,
  socket: number,
  address: string,
): Promise<BindEndpoint> {
  const { host, instance: { fds } } = reactor;
  let endpoint = address;
  if (/^udp:/.test(address)) {
    return { address, error: { code: "EPROTONOSUPPORT" } };
  }
  if (hasWrongPort(address)) return { address, error: { code: "EINVAL" } };
  if (address === "ipc://*") {
    try {
      endpoint = `ipc://${fds.temporaryPath()}`;
    } catch (error) {
      const cause = error as HostError;
      return { address, error: { code: cause.code, cause } };
    }
  }
  let { code, target } = bindTarget(reactor, socket, endpoint);
  const name = /^(tcp|ws):\/\/([^:\[\]*]+):(.*)$/.exec(endpoint);
  if (code === "ENODEV" && name) {
    // Neither an address nor an interface: perhaps the name of a host.
    const [ip] = await host.resolve(name[2]!, 4).catch(() => []);
    if (ip !== undefined) {
      endpoint = `${name[1]}://${ip}:${name[3]}`;
      ({ code, target } = bindTarget(reactor, socket, endpoint));
    }
  }
  if (code !== undefined) {
    // The directory of an address too long for a socket.
    if (address === "ipc://*") fds.settle(`1 ${endpoint.slice(6)}`);
    const cause = code === "ENODEV" ? fds.forbidden : undefined;
    return cause
      ? { address, error: { code: cause.code, cause } }
      : { address, error: { code } };
  }
  if (!target) return { address: endpoint };
  // A listener closed just before goes first: with it goes the file at its path,
  // which must not be ours.
  await new Promise<void>((resolve) => host.soon(resolve));
  await fds.prepare(target, BACKLOG);
  return { address: endpoint, target };
}

/** Where an endpoint would connect to, as far as the runtime is concerned. */
export function connectTarget(address: string): HostAddress | undefined {
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
export function connectSource(address: string): string | undefined {
  return /^tcp:\/\/([^;]*);/.exec(address)?.[1];
}

const ZAP_ENDPOINT = "inproc://zeromq.zap.01";

/**
 * Why a socket must not be bound or connected with the security options it has, or
 * undefined. libzmq would take them and, when a peer comes, abort (PLAIN) or let it in
 * without asking the ZAP handler (CURVE).
 */
export function securityFault(
  socket: {
    readonly type: number;
    readonly plainServer: boolean;
    readonly curveServer: boolean;
    readonly zapDomain: string | null;
    readonly zapEnforceDomain: boolean;
  },
  address: string,
  handlerTypes: readonly number[],
): string | undefined {
  if (address === ZAP_ENDPOINT && !handlerTypes.includes(socket.type)) {
    return "A ZAP handler must be a Reply or a Router";
  }
  if (
    (socket.plainServer || socket.curveServer) && socket.zapEnforceDomain &&
    socket.zapDomain === null
  ) return "zapEnforceDomain is set, but there is no zapDomain";
  return undefined;
}
