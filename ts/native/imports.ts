/**
 * wasm/imports.h in TypeScript: each name C may call, in terms of the fd table and
 * the host. The only file that sees both worlds.
 */
import * as C from "zeromq-wasm:constants";
import type { Host } from "../host/host.ts";
import { encoder } from "../host/text.ts";
import { type Bodies, isOutside } from "../syscall/bodies.ts";
import type { FdTable } from "../syscall/fd_table.ts";
import type { Memory } from "./memory.ts";

/** What the imports work on; filled in once the module is instantiated. */
export interface ImportTarget {
  readonly host: Host;
  memory: Memory;
  fds: FdTable;
  bodies: Bodies;
  /** What libzmq and the C library wrote to stderr since the last newline but one. */
  stderr: string;
  /** What is being resolved is an IP address: whether an interface has that name is not asked. */
  literal: boolean;
}

/** Thrown out of the module when libzmq or its C library gives up. */
export class Abort extends Error {
  override name = "Abort";
}

/** Four words and a result: what the module imports. */
type Import = (a: number, b: number, c: number, d: number) => number | void;

/**
 * A function of fewer parameters as one of four: an engine compiles one for each number of
 * parameters, and everybody's first socket waits for it. Those for each message have four.
 */
function ofFour(call: (...words: number[]) => number | void): Import {
  return call.length === 4 ? call : (a, b, c, d) => call(a, b, c, d);
}

export function makeImports(
  target: ImportTarget,
): Record<string, Record<string, WebAssembly.ImportValue>> {
  const { host } = target;
  const text = (ptr: number, size: number) => target.memory.text(ptr, size);
  /** A host_name_t. */
  const name = (ptr: number) => {
    const at = ptr >> 2;
    const [host, size, family, port] = target.memory.words.subarray(at, at + 4);
    return { host: text(host!, size!), family: family!, port: port! };
  };
  const calls: Record<string, (...words: number[]) => number | void> = {
    random(ptr: number, size: number) {
      // A view of growable memory is refused by some runtimes' generators.
      const bytes = new Uint8Array(size);
      host.random(bytes);
      target.memory.bytes.set(bytes, ptr);
      bytes.fill(0);
    },
    abort() {
      throw new Abort(target.stderr.trim() || "libzmq aborted");
    },
    exit(code: number) {
      throw new Abort(target.stderr.trim() || `exit status ${code}`);
    },
    connect(fd: number, to: number, from: number) {
      const { host, family, port } = name(to);
      const source = name(from);
      return target.fds.connect(
        fd,
        family,
        host,
        port,
        source.host === "" ? undefined : source,
      );
    },
    listen(fd: number, at: number) {
      const { host, family, port } = name(at);
      return target.fds.listen(fd, family, host, port);
    },
    send(fd: number, ptr: number, size: number, more: number) {
      if (isOutside(ptr)) {
        const { bodies } = target;
        const body = bodies.at(ptr);
        return target.fds.sendBody(fd, bodies, body, body.offset(ptr), size);
      }
      return target.fds.send(fd, target.memory.bytes, ptr, size, more !== 0);
    },
    read(fd: number, ptr: number, size: number, wanted: number) {
      if (isOutside(ptr)) {
        const body = target.bodies.at(ptr);
        target.fds.read(fd, body.bytes, body.offset(ptr), size, wanted);
      } else {
        if (wanted > C.ZW_IN_BATCH_SIZE) target.fds.takesLong(fd, size);
        target.fds.read(fd, target.memory.bytes, ptr, size);
      }
    },
    body_new: (size: number, fd: number, left: number) =>
      target.bodies.make(size, target.fds.begins(fd, size, left)),
    body_free: (ptr: number) => target.bodies.drop(ptr),
    copy: (to: number, from: number, size: number) =>
      target.bodies.copy(target.memory.bytes, to, from, size),
    close: (fd: number, linger: number) => target.fds.close(fd, linger),
    setsockopt(fd: number, level: number, name: number, value: number) {
      if (level === C.IPPROTO_TCP && name === C.TCP_NODELAY) {
        target.fds.setOption(fd, "noDelay", value);
      } else if (level === C.SOL_SOCKET && name === C.SO_KEEPALIVE) {
        target.fds.setOption(fd, "keepAlive", value);
      } else if (level === C.IPPROTO_IP || level === C.IPPROTO_IPV6) {
        const family = level === C.IPPROTO_IP ? 4 : 6;
        // libzmq uses this one name for both families.
        if (name === C.IP_MULTICAST_TTL) {
          target.fds.datagrams.setMulticast(fd, family, { hops: value });
        } else if (
          name === (family === 4 ? C.IP_MULTICAST_LOOP : C.IPV6_MULTICAST_LOOP)
        ) {
          const loop = value !== 0;
          target.fds.datagrams.setMulticast(fd, family, { loop });
        }
      }
      // The rest no runtime offers: docs/runtimes.md lists them.
    },
    bind(fd: number, at: number) {
      const { host, family, port } = name(at);
      target.fds.datagrams.bind(fd, family, host, port);
    },
    multicast_interface(fd: number, ptr: number, size: number) {
      const via = text(ptr, size);
      const family = /^[\d.]+$/.test(via) ? 4 : 6;
      target.fds.datagrams.setMulticast(fd, family, { via });
    },
    sendto(fd: number, ptr: number, size: number, to: number) {
      const { datagrams } = target.fds;
      const bytes = target.memory.bytes.subarray(ptr, ptr + size);
      const { host, family, port } = name(to);
      return datagrams.send(fd, bytes, family, host, port) ? 1 : 0;
    },
    recvfrom(fd: number, ptr: number, room: number, sender: number) {
      const { bytes, words } = target.memory;
      const { size, host, port } = target.fds.datagrams.receive(
        fd,
        bytes,
        ptr,
        room,
      );
      // As wasm/imports.h lays it out; a scope would be of no use inside.
      const ip = encoder.encode(host.replace(/%.*/, ""));
      words[sender >> 2] = port;
      words[(sender >> 2) + 1] = ip.length;
      bytes.set(ip, sender + 8);
      return size;
    },
    interfaces(ptr: number, cap: number) {
      const lines = target.literal ? "" : target.fds.interfaces();
      const bytes = encoder.encode(lines);
      if (bytes.length <= cap) target.memory.bytes.set(bytes, ptr);
      return bytes.length;
    },
  };
  const imports: Record<string, WebAssembly.ImportValue> = {
    now: () => host.now(),
  };
  for (const key in calls) imports[key] = ofFour(calls[key]!);
  return {
    host: imports,
    wasi_snapshot_preview1: {
      fd_write(_fd: number, vectors: number, count: number, out: number) {
        let written = 0;
        for (let i = 0; i < count; i++) {
          const at = (vectors >> 2) + i * 2;
          const [ptr, size] = [
            target.memory.words[at]!,
            target.memory.words[at + 1]!,
          ];
          target.stderr = (target.stderr + text(ptr, size)).slice(-2000);
          written += size;
        }
        target.memory.words[out >> 2] = written;
        return 0;
      },
    },
  };
}
