/**
 * Certificates as text: CZMQ's layout of ZPL (RFC 4), which pyzmq's files are too.
 *
 * The secret key is taken out of the bytes before they become a string, because a
 * string cannot be wiped.
 */
import { decoder, encoder } from "../../host/text.ts";
import { z85DecodeBytes } from "./z85.ts";

/** What is wrong with a certificate, or with a file that should be one. */
export class CertificateError extends Error {
  override name = "CertificateError";
}

export interface Parsed {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array | undefined;
  readonly metadata: Record<string, string>;
}

/** Larger files are no certificates. */
const MOST_BYTES = 65536;
const KEY_TEXT_BYTES = 40;
/** What CZMQ takes for a name. */
const NAME = /^[A-Za-z0-9$\-_@.&+/]{1,255}$/;

const NEWLINE = 10, SPACE = 32, ZERO = 48;
const trimmed = (code: number) =>
  code === SPACE || code === 9 || code === 13 || code === 34 || code === 39;

/** Reads a certificate; the secret key is wiped from `bytes`. */
export function parseCertificate(bytes: Uint8Array): Parsed {
  if (bytes.length > MOST_BYTES) {
    throw new CertificateError(`more than ${MOST_BYTES} bytes`);
  }
  let secretKey: Uint8Array | undefined;
  try {
    secretKey = takeKey(bytes, "secret-key");
    // CZMQ's stand-in for a secret key that is not there.
    if (secretKey?.every((byte) => byte === 0)) secretKey = undefined;
    const publicKey = takeKey(bytes, "public-key");
    if (publicKey === undefined) {
      throw new CertificateError("there is no public-key");
    }
    return { publicKey, secretKey, metadata: parseMetadata(bytes) };
  } catch (error) {
    secretKey?.fill(0);
    throw error;
  }
}

/** The key on the line that starts with `name`, wiped there. */
function takeKey(bytes: Uint8Array, name: string): Uint8Array | undefined {
  const start = encoder.encode(name);
  let found: Uint8Array | undefined;
  for (let at = 0, line = 1; at < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, at);
    const next = newline < 0 ? bytes.length : newline + 1;
    let from = at;
    let to = newline < 0 ? bytes.length : newline;
    at = next;
    while (from < to && trimmed(bytes[from]!)) from++;
    if (!start.every((code, i) => bytes[from + i] === code)) continue;
    from += start.length;
    const equals = bytes.subarray(from, to).indexOf(61);
    if (equals < 0) {
      throw new CertificateError(`line ${line}: "=" is missing after ${name}`);
    }
    from += equals + 1;
    while (from < to && trimmed(bytes[from]!)) from++;
    while (to > from && trimmed(bytes[to - 1]!)) to--;
    const value = bytes.subarray(from, to);
    try {
      if (found) throw new CertificateError(`a second ${name}`);
      if (value.length !== KEY_TEXT_BYTES) {
        throw new CertificateError(
          `${name} has ${value.length} characters instead of ${KEY_TEXT_BYTES}`,
        );
      }
      found = value.every((code) => code === ZERO)
        ? new Uint8Array(32)
        : z85DecodeBytes(value);
    } catch (error) {
      found?.fill(0);
      throw new CertificateError(
        `line ${line}: ${(error as Error).message}`,
      );
    } finally {
      value.fill(SPACE);
    }
  }
  return found;
}

/** The properties of the section "metadata". */
function parseMetadata(bytes: Uint8Array): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  let inside = false;
  for (const line of decoder.decode(bytes).split("\n")) {
    const text = line.trimEnd();
    if (text.trim() === "" || text.trim().startsWith("#")) continue;
    if (!/^\s/.test(text)) {
      inside = /^metadata\b/.test(text);
      continue;
    }
    if (!inside) continue;
    const equals = text.indexOf("=");
    if (equals < 0) continue;
    const name = text.slice(0, equals).trim();
    if (name !== "") metadata[name] = value(text.slice(equals + 1).trim());
  }
  return metadata;
}

function value(text: string): string {
  const quote = text[0];
  if (quote === '"' || quote === "'") {
    const end = text.indexOf(quote, 1);
    return end < 0 ? text.slice(1) : text.slice(1, end);
  }
  return text.replace(/\s*#.*$/, "");
}

/** @throws CertificateError for what a certificate cannot hold */
export function checkMetadata(name: string, value: string): void {
  if (!NAME.test(name)) {
    throw new CertificateError(
      `a name in the metadata has letters, digits and $-_@.&+/: ${
        JSON.stringify(name)
      }`,
    );
  }
  // deno-lint-ignore no-control-regex
  if (typeof value !== "string" || /[\0-\x1f\x7f]|".*'|'.*"/.test(value)) {
    throw new CertificateError(
      `the metadata "${name}" must be text on one line, with at most one kind of quotes`,
    );
  }
}

const PUBLIC_BANNER = `#   ZeroMQ CURVE Public Certificate
#   Exchange securely, or use a secure mechanism to verify the contents
#   of this file after exchange. Store public certificates in your home
#   directory, in the .curve subdirectory.`;
const SECRET_BANNER = `#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.`;

/** The text of a file, as bytes that the caller wipes; with a secret key, of the secret one. */
export function formatCertificate(
  publicKey: string,
  secretKey: string | undefined,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const lines = [
    `#   ****  Generated on ${new Date().toISOString()} by zeromq-wasm  ****`,
    secretKey === undefined ? PUBLIC_BANNER : SECRET_BANNER,
    "",
    "metadata",
  ];
  for (const [name, value] of Object.entries(metadata)) {
    checkMetadata(name, value);
    const quote = value.includes('"') ? "'" : '"';
    lines.push(`    ${name} = ${quote}${value}${quote}`);
  }
  lines.push("curve", `    public-key = "${publicKey}"`);
  if (secretKey !== undefined) lines.push(`    secret-key = "${secretKey}"`);
  return encoder.encode(lines.join("\n") + "\n");
}
