// @ts-check
// Counts what passes a socket, and follows its connections.

/** Works for any socket: whoever sends or receives counts. */
export class Meter {
  received = 0;
  sent = 0;
  connections = 0;
  #started = performance.now();
  #last = { uptime: 0, received: 0, sent: 0 };

  /** Seconds since the start. */
  get uptime() {
    return (performance.now() - this.#started) / 1000;
  }

  /**
   * Prints the events of a socket until it is closed.
   *
   * @param {import("zeromq-wasm").Observer} events
   */
  async watch(events) {
    for await (const event of events) {
      // Every connection that was made or accepted ends with "disconnect".
      if (event.type === "accept" || event.type === "connect") {
        this.connections++;
      }
      if (event.type === "disconnect") this.connections--;
      const address = "address" in event ? ` ${event.address}` : "";
      const more = event.type === "connect:retry"
        ? ` in ${event.interval} ms`
        : "";
      print(this.uptime, `event ${event.type}${address}${more}`);
    }
  }

  /** Prints the counts, and the rates since the last report. */
  report() {
    const { uptime, received, sent } = this;
    this.#count(uptime, this.#last);
    this.#last = { uptime, received, sent };
  }

  /** Prints the counts, and the rates since the start. */
  total() {
    this.#count(this.uptime, { uptime: 0, received: 0, sent: 0 });
  }

  /**
   * @param {number} uptime
   * @param {{ uptime: number, received: number, sent: number }} since
   */
  #count(uptime, since) {
    const seconds = uptime - since.uptime;
    const [received, sent] = /** @type {const} */ (["received", "sent"]).map(
      (what) => {
        const rate = (this[what] - since[what]) / seconds;
        return `${what} ${this[what]} (${rate.toFixed(1)}/s)`;
      },
    );
    print(uptime, `${received}, ${sent}, connections ${this.connections}`);
  }
}

/**
 * @param {number} uptime
 * @param {string} text
 */
function print(uptime, text) {
  console.log(`up ${uptime.toFixed(1)} s: ${text}`);
}
