/** IP addresses and CIDR blocks, for lists of who may connect. */

interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

interface Block extends Address {
  /** How many of the lowest bits do not matter. */
  readonly free: bigint;
}

const WIDTH = { 4: 32, 6: 128 } as const;
/** ::ffff:0:0/96, where IPv6 sockets see IPv4 peers. */
const MAPPED = 0xffffn;

function parse4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let bits = 0n;
  for (const part of match.slice(1)) {
    // A leading zero means octal to some.
    if (Number(part) > 255 || (part.length > 1 && part[0] === "0")) {
      return undefined;
    }
    bits = bits << 8n | BigInt(part);
  }
  return bits;
}

function parse6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map((half) => half === "" ? [] : half.split(":"));
  const words: bigint[][] = [];
  for (const [i, parts] of groups.entries()) {
    const list: bigint[] = [];
    for (const [j, part] of parts.entries()) {
      const last = i === groups.length - 1 && j === parts.length - 1;
      const embedded = last && part.includes(".") ? parse4(part) : undefined;
      if (embedded !== undefined) {
        list.push(embedded >> 16n, embedded & 0xffffn);
      } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
        list.push(BigInt(`0x${part}`));
      } else return undefined;
    }
    words.push(list);
  }
  const count = words.flat().length;
  if (words.length === 1 ? count !== 8 : count > 7) return undefined;
  const middle = Array<bigint>(8 - count).fill(0n);
  const all = words.length === 1
    ? words[0]!
    : [...words[0]!, ...middle, ...words[1]!];
  return all.reduce((bits, word) => bits << 16n | word, 0n);
}

/** An address; IPv4 in IPv6 is IPv4. Undefined if it is none. */
function parse(text: string): Address | undefined {
  const four = parse4(text);
  if (four !== undefined) return { family: 4, bits: four };
  const six = parse6(text.replace(/^(fe80:.*)%.*$/i, "$1"));
  if (six === undefined) return undefined;
  return six >> 32n === MAPPED
    ? { family: 4, bits: six & 0xffffffffn }
    : { family: 6, bits: six };
}

/** @throws TypeError unless the text is an address or a block */
function parseBlock(text: string): Block {
  const match = typeof text === "string"
    ? /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text)
    : null;
  const address = match ? parse(match[1]!) : undefined;
  if (!match || !address) {
    throw new TypeError(
      `not an IP address or CIDR block: ${JSON.stringify(text)}`,
    );
  }
  const width = WIDTH[address.family];
  let prefix = width as number;
  if (match[2] !== undefined) {
    prefix = Number(match[2]);
    if (address.family === 4 && match[1]!.includes(":")) prefix -= 96;
  }
  if (prefix < 0 || prefix > width) {
    throw new TypeError(`a prefix of 0 to ${width} bits: ${text}`);
  }
  return { ...address, free: BigInt(width - prefix) };
}

/** Addresses and blocks, as they were written. */
export class AddressList {
  readonly #blocks = new Map<string, Block>();

  get empty(): boolean {
    return this.#blocks.size === 0;
  }

  /** @throws TypeError; then none is added */
  add(texts: readonly string[]): void {
    const blocks = texts.map(parseBlock);
    texts.forEach((text, i) => this.#blocks.set(text, blocks[i]!));
  }

  /** Whether a peer's address is in the list; undefined if it is no IP address. */
  has(text: string): boolean | undefined {
    const address = parse(text);
    if (!address) return undefined;
    for (const { family, bits, free } of this.#blocks.values()) {
      if (family === address.family && bits >> free === address.bits >> free) {
        return true;
      }
    }
    return false;
  }
}
