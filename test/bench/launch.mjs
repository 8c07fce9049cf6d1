// Starts peer processes, talks to them, looks at them from outside.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** A peer that says nothing for so long has failed. */
const LIMIT_MS = 60_000;
/** And one that has been told to end gets so long. */
const GRACE_MS = 2000;
/** The clock of /proc/PID/stat. */
const TICKS_PER_SECOND = 100;

export class Peer {
  #child;
  #name;
  #lines = [];
  #waiting;
  #errors = "";
  #over = false;
  #exited;

  /** @param {{name: string, command: string, args: string[]}} runtime */
  constructor(runtime, job) {
    const args = Object.entries(job)
      .filter(([, value]) => value !== undefined && value !== false)
      .map(([key, value]) => `${key}=${value === true ? 1 : value}`);
    this.#name = `${runtime.name} ${job.job}`;
    this.#child = spawn(runtime.command, [...runtime.args, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.setEncoding("utf8").on(
      "data",
      (text) => this.#errors += text,
    );
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#waiting?.();
    });
    this.#exited = new Promise((resolve) => {
      const over = (error) => {
        if (error instanceof Error) this.#errors += error.message;
        this.#over = true;
        this.#waiting?.();
        resolve();
      };
      this.#child.on("error", over);
      this.#child.on("close", over);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** The next line that the peer writes. */
  async next() {
    if (this.#lines.length === 0 && !this.#over) {
      let timer;
      await new Promise((resolve, reject) => {
        this.#waiting = resolve;
        timer = setTimeout(
          () => reject(this.#failure(`silent for ${LIMIT_MS / 1000} s`)),
          LIMIT_MS,
        );
      }).finally(() => {
        clearTimeout(timer);
        this.#waiting = undefined;
      });
    }
    if (this.#lines.length === 0) throw this.#failure("ended early");
    const line = this.#lines.shift();
    try {
      return JSON.parse(line);
    } catch {
      throw this.#failure(`wrote ${line}`);
    }
  }

  #failure(what) {
    const text = this.#errors.trim();
    return new Error(`${this.#name} ${what}${text ? `:\n${text}` : ""}`);
  }

  /** Lets the peer go on. */
  tell() {
    this.#child.stdin.write("\n");
  }

  /** Resident memory in bytes and CPU seconds so far, as Linux sees them. */
  look() {
    const status = readFileSync(`/proc/${this.pid}/status`, "latin1");
    const stat = readFileSync(`/proc/${this.pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return {
      memory: Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]) * 1024,
      cpu: ticks / TICKS_PER_SECOND,
    };
  }

  /** Ends the process, in peace if it can. */
  async end() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), GRACE_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** Runs `work` with a way to start peers, all of which end with it. */
export async function withPeers(work) {
  const peers = [];
  try {
    return await work((runtime, job) => {
      const peer = new Peer(runtime, job);
      peers.push(peer);
      return peer;
    });
  } finally {
    await Promise.all(peers.map((peer) => peer.end()));
  }
}
