/** LAYER 1 on Node: listening, on node:net. */
import type * as net from "node:net";
import {
  type Host,
  type HostAddress,
  HostError,
  type Listener,
} from "./host.ts";
import { describe, hostError, pathError } from "./messages.ts";
import { builtin } from "./node_builtins.ts";
import { codeOf, toHostError } from "./node_errors.ts";
import { nodeFiles } from "./node_paths.ts";
import { withNamedScope } from "./node_scopes.ts";
import { NodeListener } from "./node_stream.ts";
import { listenAt, listenAtSync } from "./socket_file.ts";

const SERVER = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true };

/** What `listen` of node:net comes to for an address; unlike it, it does not load node:cluster. */
interface Inner {
  _listen2?(
    address: string,
    port: number,
    family: 4 | 6 | -1,
    backlog: number,
    fd: undefined,
    flags: number,
  ): void;
}

/** Of an IP literal; `net.isIP` has regular expressions, which take long the first time. */
function familyOf(host: string): 4 | 6 {
  return host.includes(":") ? 6 : 4;
}

function listenWith(
  server: net.Server & Inner,
  address: HostAddress,
  backlog: number,
): void {
  const isPath = address.kind === "ipc";
  const family = isPath ? -1 : familyOf(address.host);
  if (typeof server._listen2 === "function") {
    const [host, port] = isPath
      ? [address.path, -1]
      : [withNamedScope(address.host), address.port];
    server._listen2(host, port, family, backlog, undefined, 0);
    return;
  }
  // exclusive: in a cluster worker the port must be bound here, not shared by the primary.
  server.listen({
    backlog,
    exclusive: true,
    ...(isPath
      ? { path: address.path }
      : { host: withNamedScope(address.host), port: address.port }),
  });
}

function listenLater(
  address: HostAddress,
  at: HostAddress,
  backlog: number,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = builtin("node:net").createServer(SERVER);
    const failed = (cause: Error) => reject(listenError(address, cause));
    server.once("error", failed);
    server.once("listening", () => {
      server.off("error", failed);
      resolve(listenerOf(server, address));
    });
    try {
      listenWith(server, at, backlog);
    } catch (cause) {
      reject(toHostError(whatOf(address), cause));
    }
  });
}

export async function listen(
  address: HostAddress,
  backlog: number,
): Promise<Listener> {
  const bad = pathError("listen", address);
  if (bad !== undefined) throw bad;
  return await listenAt(
    address,
    nodeFiles,
    (at) => listenLater(address, at, backlog),
  );
}

/**
 * What node:net itself binds with, for as long as it lends it to others: the only way
 * to listen at an address that is done when it returns.
 */
type CreateHandle = (
  address: string,
  port: number,
  family: 4 | 6 | -1,
) => number | { listen(backlog: number): number; close(): void };

function handleMaker(): CreateHandle | undefined {
  const { _createServerHandle } = builtin("node:net") as {
    _createServerHandle?: CreateHandle;
  };
  return typeof _createServerHandle === "function"
    ? _createServerHandle
    : undefined;
}

function listenOnNode(
  address: HostAddress,
  at: HostAddress,
  backlog: number,
): Listener {
  const createHandle = handleMaker()!;
  const handle = at.kind === "ipc"
    ? createHandle(at.path, -1, -1)
    : createHandle(withNamedScope(at.host), at.port, familyOf(at.host));
  const failed = typeof handle === "number" ? handle : handle.listen(backlog);
  if (typeof handle === "number" || failed !== 0) {
    if (typeof handle !== "number") handle.close();
    const code = builtin("node:util").getSystemErrorName(failed);
    const message = `${whatOf(address)}: ${code}`;
    throw listenError(address, Object.assign(new Error(message), { code }));
  }
  const server = builtin("node:net").createServer(SERVER);
  if (at.kind === "tcp") server.listen(handle, backlog);
  else {
    // Of a pipe it would use only the descriptor; but listening at a path is done at once.
    handle.close();
    server.listen({ path: at.path, backlog, exclusive: true });
  }
  return listenerOf(server, address);
}

const whatOf = (address: HostAddress) => `listen ${describe(address)}`;

function listenerOf(server: net.Server, address: HostAddress): Listener {
  server.unref();
  const what = `connection accepted by ${describe(address)}`;
  return new NodeListener(server, what);
}

function listenError(address: HostAddress, cause: Error): HostError {
  const what = whatOf(address), code = codeOf(cause);
  // libuv reports a missing directory as EACCES, to look the same as on Windows.
  if (
    code === "EACCES" && address.kind === "ipc" &&
    !builtin("node:fs").existsSync(
      builtin("node:path").dirname(address.path),
    )
  ) {
    return hostError(what, "ENOENT", cause);
  }
  return hostError(what, code, cause);
}

/** Bun does not lend it, but its servers listen when `listen` returns, or never. */
const bun = (globalThis as {
  Bun?: { listen(options: object): { stop(): void } };
}).Bun;

function listenOnBun(
  address: HostAddress,
  at: HostAddress,
  backlog: number,
): Listener {
  const server = builtin("node:net").createServer(SERVER);
  // It is told too late.
  server.on("error", () => {});
  server.listen({
    backlog,
    exclusive: true,
    ...(at.kind === "ipc" ? { path: at.path } : at),
  });
  if (server.listening) return listenerOf(server, address);
  let cause = Object.assign(new Error(whatOf(address)), {
    code: "EADDRINUSE",
  });
  try {
    bun!.listen({
      ...(at.kind === "ipc"
        ? { unix: at.path }
        : { hostname: at.host, port: at.port }),
      socket: { data() {} },
    }).stop();
  } catch (error) {
    cause = error as typeof cause;
  }
  throw listenError(address, cause);
}

/** Undefined where this runtime cannot. */
export function listenSync(): Host["listenSync"] {
  const listenNow = handleMaker() ? listenOnNode : bun && listenOnBun;
  return listenNow && ((address, backlog) => {
    const bad = pathError("listen", address);
    if (bad !== undefined) throw bad;
    return listenAtSync(
      address,
      nodeFiles,
      (at) => {
        try {
          return listenNow(address, at, backlog);
        } catch (error) {
          // What Node's permission model forbids is thrown as it is.
          if (error instanceof HostError) throw error;
          throw listenError(address, error as Error);
        }
      },
    );
  });
}
