/**
 * What has to be ready before libzmq binds: the listener at the address it will
 * choose, and what it cannot make itself (directories, names).
 */
import type { Reactor } from "../reactor/reactor.ts";
import { codeOf, errnoOf } from "../syscall/errno.ts";

export interface BindEndpoint {
  /** What to give libzmq. */
  address: string;
  /** The prepared listener to settle afterwards. */
  target?: string;
  /** The module's errno, if the address cannot be bound. */
  error?: number;
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
        const size = reactor.call("zw_bind_target", socket, ptr, out, TARGET_BYTES);
        return size < 0
          ? { error: -size }
          : { target: memory.text(out, size) };
      }),
  );
}

/** Prepares for `zmq_bind`; resolves with what to bind. */
export async function endpointToBind(
  reactor: Reactor,
  socket: number,
  address: string,
): Promise<BindEndpoint> {
  let endpoint = address;
  if (/^udp:/.test(address)) {
    return { address, error: errnoOf("EPROTONOSUPPORT") };
  }
  if (address === "ipc://*") {
    endpoint = `ipc://${reactor.host.makeTempDir()}/socket`;
  }
  let found = bindTarget(reactor, socket, endpoint);
  const name = /^(tcp|ws):\/\/([^:\[\]*]+):(.*)$/.exec(endpoint);
  if (found.error !== undefined && codeOf(found.error) === "ENODEV" && name) {
    // Neither an address nor an interface: perhaps the name of a host.
    const [ip] = await reactor.host.resolve(name[2]!, 4).catch(() => []);
    if (ip) {
      endpoint = `${name[1]}://${ip}:${name[3]}`;
      found = bindTarget(reactor, socket, endpoint);
    }
  }
  if (found.error !== undefined) return { address, error: found.error };
  if (!found.target) return { address: endpoint };
  await reactor.instance.fds.prepare(found.target, BACKLOG);
  return { address: endpoint, target: found.target };
}
