/** Two hosts, as network namespaces, with a cable that loses, delays or is cut. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";
import { until, within } from "../socket/tools.ts";
import { python } from "../support/python.ts";

/** The share of packets that is lost, and milliseconds on the way, in one direction. */
export interface Cable {
  readonly loss: number;
  readonly delay: number;
}

export const FINE: Cable = { loss: 0, delay: 0 };
export const CUT: Cable = { loss: 1, delay: 0 };

const SCRIPT = new URL("../../../test/faults/network.py", import.meta.url);

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw error ?? new Error(`ip ${args.join(" ")}: ${stderr}`);
}

export class Network {
  readonly hosts: readonly [string, string];
  readonly addresses = ["10.231.77.1", "10.231.77.2"] as const;
  /** What carries the packets. */
  by = "";
  readonly #cards: readonly [string, string];
  #relay: ChildProcess | undefined;
  #answers = 0;

  private constructor() {
    const { pid } = process;
    this.hosts = [`zwa${pid}`, `zwb${pid}`];
    this.#cards = [`zw${pid}a`, `zw${pid}b`];
  }

  /** Throws what the machine does not permit. */
  static async make(): Promise<Network> {
    const network = new Network();
    try {
      for (const host of network.hosts) ip("netns", "add", host);
      if (!network.#netem()) await network.#relayed();
      network.hosts.forEach((host, i) => {
        const card = network.#cards[i]!;
        const inside = ["-n", host];
        ip(...inside, "addr", "add", `${network.addresses[i]}/24`, "dev", card);
        ip(...inside, "link", "set", "lo", "up");
        ip(...inside, "link", "set", card, "up");
      });
      await network.set(FINE, FINE);
    } catch (error) {
      network.close();
      throw error;
    }
    return network;
  }

  #netem(): boolean {
    const [a, b] = this.#cards, [first, second] = this.hosts;
    const veth = ["type", "veth", "peer", "name", b, "netns", second];
    try {
      ip("link", "add", a, "netns", first, ...veth);
    } catch {
      return false;
    }
    const ok = this.#tc(0, FINE) && this.#tc(1, FINE);
    if (ok) this.by = "tc netem";
    else ip("-n", first, "link", "del", a);
    return ok;
  }

  /** What leaves by one card. */
  #tc(side: 0 | 1, { loss, delay }: Cable): boolean {
    const device = ["dev", this.#cards[side], "root", "netem"];
    const quality = ["loss", `${loss * 100}%`, "delay", `${delay}ms`];
    const args = ["-n", this.hosts[side], "qdisc", "replace", ...device];
    return spawnSync("tc", [...args, ...quality]).status === 0;
  }

  async #relayed(): Promise<void> {
    if (!python) throw new Error("no netem in the kernel, and no Python");
    const relay = spawn(python, [SCRIPT.pathname, ...this.#cards], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#relay = relay;
    let fault = "";
    relay.stderr.setEncoding("utf8").on("data", (text) => fault += text);
    relay.on("exit", () => fault ||= "it ended");
    createInterface({ input: relay.stdout }).on("line", () => this.#answers++);
    await until(() => this.#answers > 0 || fault, "two TAP interfaces");
    if (fault) throw new Error(`no netem in the kernel, and no TAP: ${fault}`);
    this.hosts.forEach((host, i) =>
      ip("link", "set", this.#cards[i]!, "netns", host)
    );
    this.by = "a relay between TAP interfaces (the kernel has no netem)";
  }

  /** From the first host to the second, and back. */
  async set(there: Cable, back: Cable): Promise<void> {
    if (!this.#relay) {
      if (!this.#tc(0, there) || !this.#tc(1, back)) throw new Error("tc");
      return;
    }
    const wanted = this.#answers + 1;
    this.#relay.stdin!.write(
      [there, back].map(({ loss, delay }) => `${loss} ${delay / 1000}`)
        .join(" ") + "\n",
    );
    await until(() => this.#answers >= wanted, "the relay's answer");
  }

  /** Runs a program that uses the library as `z` on a host; told of its lines of JSON. */
  run(
    host: 0 | 1,
    code: string,
    line: (said: Record<string, unknown>) => void,
  ): { end(): Promise<unknown> } {
    const child = spawn("ip", [
      ...["netns", "exec", this.hosts[host], process.execPath],
      ...["--input-type=module", "-"],
    ], { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: child.stdout }).on(
      "line",
      (text) => line(JSON.parse(text)),
    );
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.stdin.end(`import * as z from "zeromq-wasm";
      const say = (what) => console.log(JSON.stringify({ ...what, at: Date.now() }));
      ${code}`);
    return {
      end() {
        child.kill("SIGKILL");
        return within(ended, "the end of a program");
      },
    };
  }

  close(): void {
    this.#relay?.kill("SIGKILL");
    for (const host of this.hosts) {
      spawnSync("ip", ["netns", "del", host]);
    }
  }
}
