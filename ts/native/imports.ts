/**
 * wasm/imports.h in TypeScript: each name C may call, in terms of the fd table and
 * the host. The only file that sees both worlds.
 */
import { constants } from "zeromq-wasm:constants";
import type { Host } from "../host/host.ts";
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

const { IPPROTO_TCP, TCP_NODELAY, SOL_SOCKET, SO_KEEPALIVE, ESPIPE } =
  constants;
const { IPPROTO_IP, IPPROTO_IPV6 } = constants;
const { IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP } = constants;

export function makeImports(
  target: ImportTarget,
): Record<string, Record<string, WebAssembly.ImportValue>> {
  const { host } = target;
  const text = (ptr: number, size: number) => target.memory.text(ptr, size);
  return {
    host: {
      now: () => host.now(),
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
      connect(
        fd: number,
        family: number,
        ptr: number,
        size: number,
        port: number,
        sourcePtr: number,
        sourceSize: number,
        sourcePort: number,
      ) {
        const source = sourceSize
          ? { host: text(sourcePtr, sourceSize), port: sourcePort }
          : undefined;
        return target.fds.connect(fd, family, text(ptr, size), port, source);
      },
      listen(
        fd: number,
        family: number,
        ptr: number,
        size: number,
        port: number,
        _backlog: number,
      ) {
        return target.fds.listen(fd, family, text(ptr, size), port);
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
        } else target.fds.read(fd, target.memory.bytes, ptr, size);
      },
      body_new: (size: number) => target.bodies.make(size >>> 0),
      body_free: (ptr: number) => target.bodies.drop(ptr),
      copy: (to: number, from: number, size: number) =>
        target.bodies.copy(target.memory.bytes, to, from, size),
      close: (fd: number) => target.fds.close(fd),
      setsockopt(fd: number, level: number, name: number, value: number) {
        if (level === IPPROTO_TCP && name === TCP_NODELAY) {
          target.fds.setOption(fd, "noDelay", value);
        } else if (level === SOL_SOCKET && name === SO_KEEPALIVE) {
          target.fds.setOption(fd, "keepAlive", value);
        } else if (level === IPPROTO_IP || level === IPPROTO_IPV6) {
          const family = level === IPPROTO_IP ? 4 : 6;
          // libzmq uses this one name for both families.
          if (name === IP_MULTICAST_TTL) {
            target.fds.datagrams.setMulticast(fd, family, { hops: value });
          } else if (
            name === (family === 4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP)
          ) {
            const loop = value !== 0;
            target.fds.datagrams.setMulticast(fd, family, { loop });
          }
        }
        // The rest no runtime offers: docs/options.md lists them.
      },
      bind: (
        fd: number,
        family: number,
        ptr: number,
        size: number,
        port: number,
      ) => target.fds.datagrams.bind(fd, family, text(ptr, size), port),
      multicast_interface(fd: number, ptr: number, size: number) {
        const via = text(ptr, size);
        const family = /^[\d.]+$/.test(via) ? 4 : 6;
        target.fds.datagrams.setMulticast(fd, family, { via });
      },
      sendto(
        fd: number,
        ptr: number,
        size: number,
        family: number,
        hostPtr: number,
        hostSize: number,
        port: number,
      ) {
        const bytes = target.memory.bytes.subarray(ptr, ptr + size);
        const host = text(hostPtr, hostSize);
        const more = target.fds.datagrams.send(fd, bytes, family, host, port);
        return more ? 1 : 0;
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
        const ip = new TextEncoder().encode(host.replace(/%.*/, ""));
        words[sender >> 2] = port;
        words[(sender >> 2) + 1] = ip.length;
        bytes.set(ip, sender + 8);
        return size;
      },
      remove: (ptr: number) => target.fds.remove(target.memory.cString(ptr)),
      interfaces(ptr: number, cap: number) {
        const lines = target.literal ? "" : target.fds.interfaces();
        const bytes = new TextEncoder().encode(lines);
        if (bytes.length <= cap) target.memory.bytes.set(bytes, ptr);
        return bytes.length;
      },
    },
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
      fd_close: () => 0,
      fd_seek: () => ESPIPE!,
      proc_exit(code: number) {
        throw new Abort(target.stderr.trim() || `exit status ${code}`);
      },
      environ_get: () => 0,
      environ_sizes_get(count: number, size: number) {
        target.memory.words[count >> 2] = 0;
        target.memory.words[size >> 2] = 0;
        return 0;
      },
    },
  };
}
