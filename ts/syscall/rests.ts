/**
 * Rests of large writes, which are written together with what follows.
 *
 * Linux sends what one write has in packets of up to 64 KB, also over loopback. Where TCP paces
 * (congestion control `bbr`), what is left after a full packet waits for its time: a timer, an
 * interrupt, a packet and a wakeup of the receiver for the 62 bytes that a message of 64 KB has
 * over, which took twice as long as all else. So where messages go one way, only whole packets
 * of a large write are written at once.
 */
import type { Host } from "../host/host.ts";

/** What fits a packet: 45 segments of Ethernet; loopback takes 323 bytes more. */
const PACKET_BYTES = 65160;
/** The most that is copied to be written later. */
const MOST_BYTES = 16384;
/** Larger writes leave at the pace of the receiver's acknowledgements. */
const LARGEST_WRITE = 2 ** 19;

/** How much of `size` bytes is to be written later, if there is a moment for it. */
export function restOf(size: number): number {
  const rest = size % PACKET_BYTES;
  const isLarge = size > PACKET_BYTES && size <= LARGEST_WRITE;
  return isLarge && rest <= MOST_BYTES ? rest : 0;
}

interface Keeper {
  /** Writes the rest, unless something has followed it. */
  writeRest(): void;
}

/** Who keeps a rest, until the program has sent what it sends in one go. */
export class Rests {
  readonly #host: Pick<Host, "soon">;
  readonly #keepers = new Set<Keeper>();

  constructor(host: Pick<Host, "soon">) {
    this.#host = host;
  }

  add(keeper: Keeper): void {
    if (this.#keepers.size === 0) this.#host.soon(this.#write);
    this.#keepers.add(keeper);
  }

  #write = (): void => {
    for (const keeper of this.#keepers) keeper.writeRest();
    this.#keepers.clear();
  };
}
