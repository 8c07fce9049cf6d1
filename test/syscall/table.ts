/** The fd table on a host in memory. */
import { codeOf, errnoOf } from "../../ts/syscall/errno.ts";
import { FdTable } from "../../ts/syscall/fd_table.ts";
import type { Kernel } from "../../ts/syscall/kernel.ts";
import { type MemoryHost, memoryHost } from "../host/memory_host.ts";
import { until } from "../socket/tools.ts";

/** Writes down what it is told, as the reactor would tell the module. */
export class Recorder implements Kernel {
  readonly told: string[] = [];
  next = 100;
  refuse = false;
  fds: FdTable | undefined;
  /** How long the last write was held. */
  took: number | undefined;
  input(fd: number, size: number): boolean {
    const memory = new Uint8Array(size + 2);
    this.fds!.read(fd, memory, 1, size);
    const text = new TextDecoder().decode(memory.subarray(1, size + 1));
    this.told.push(`input ${fd} ${text}`);
    return false;
  }
  worked(bytes: number) {
    this.told.push(`worked ${bytes}`);
  }
  connected(fd: number) {
    this.told.push(`connected ${fd}`);
  }
  writable(fd: number, took?: number) {
    this.took = took;
    this.told.push(`writable ${fd}`);
  }
  eof(fd: number) {
    this.told.push(`eof ${fd}`);
  }
  failed(fd: number, errno: number) {
    this.told.push(`failed ${fd} ${codeOf(errno)}`);
  }
  incoming(listener: number) {
    this.told.push(`incoming ${listener}`);
    return this.refuse ? -errnoOf("EMFILE") : this.next++;
  }
  has(line: string) {
    return until(() => this.told.includes(line), `${line} of ${this.told}`);
  }
}

export function table(host: MemoryHost = memoryHost()) {
  const kernel = new Recorder();
  const fds = kernel.fds = new FdTable(
    host,
    kernel,
    (size) => new Uint8Array(size),
  );
  return { kernel, host, fds };
}
