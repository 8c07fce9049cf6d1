// @ts-check
// Reports what passes a socket, and follows its connections.

/** Works for any socket: each counts what it does. */
export class Meter {
  #socket;
  #last = { uptime: 0, received: 0, sent: 0 };

  /** @param {import("zeromq-wasm").Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /** Seconds since the socket was made. */
  get uptime() {
    return (Date.now() - this.#socket.counters.since.getTime()) / 1000;
  }

  get received() {
    return this.#socket.counters.messagesReceived;
  }

  get sent() {
    return this.#socket.counters.messagesSent;
  }

  /** Prints the events of the socket until it is closed. */
  async watch() {
    for await (const event of this.#socket.events) {
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
    const { connections } = this.#socket.counters;
    print(uptime, `${received}, ${sent}, connections ${connections}`);
  }
}

/**
 * @param {number} uptime
 * @param {string} text
 */
function print(uptime, text) {
  console.log(`up ${uptime.toFixed(1)} s: ${text}`);
}
