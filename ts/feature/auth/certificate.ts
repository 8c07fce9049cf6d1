/** CURVE certificates: a key pair with metadata, in files that CZMQ and pyzmq share. */
import * as fs from "node:fs/promises";
import { platform } from "node:os";
import { curveKeyPair, curvePublicKey } from "zeromq-wasm";
import { z85Decode, z85Encode } from "./z85.ts";
import {
  CertificateError,
  checkMetadata,
  formatCertificate,
  parseCertificate,
} from "./zpl.ts";

/** The keys that a certificate is made of, as Z85 or as 32 bytes. */
export interface CertificateKeys {
  publicKey?: string | Uint8Array;
  secretKey?: string | Uint8Array;
  metadata?: Record<string, string>;
}

export interface LoadOptions {
  /** Takes a file with a secret key though other users may read it; false at first. */
  othersMayRead?: boolean;
}

/** A socket, as far as a certificate is concerned. */
interface CurveSocket {
  curvePublicKey: string | null;
  curveSecretKey: string | null;
}

const KEY_BYTES = 32;
/** Files with this ending hold the secret key too. */
export const SECRET_SUFFIX = "_secret";

/** A copy of a key, as bytes. */
function keyBytes(key: string | Uint8Array, what: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = typeof key === "string" ? z85Decode(key) : Uint8Array.from(key);
  } catch (error) {
    throw new CertificateError(`the ${what} key: ${(error as Error).message}`);
  }
  if (bytes.length !== KEY_BYTES) {
    bytes.fill(0);
    throw new CertificateError(
      `the ${what} key must be 40 characters of Z85 or ${KEY_BYTES} bytes`,
    );
  }
  return bytes;
}

/**
 * A key pair or a public key, with metadata.
 *
 * The secret key is kept as bytes and wiped by `destroy`; it is in no property, so
 * that printing the object does not show it.
 *
 * @example
 * const certificate = Certificate.create({ name: "sensor 7" });
 * await certificate.save("sensor7.key"); // and sensor7.key_secret, mode 0600
 */
export class Certificate {
  readonly #publicKey: string;
  #secret: Uint8Array | undefined;
  readonly #metadata: Record<string, string> = Object.create(null);

  /**
   * Of existing keys. With a secret key, the public one may be left out.
   *
   * @throws CertificateError if they are no keys or do not belong together
   */
  constructor({ publicKey, secretKey, metadata }: CertificateKeys) {
    if (secretKey === undefined && publicKey === undefined) {
      throw new CertificateError("a certificate has a public key at least");
    }
    if (secretKey !== undefined) {
      this.#secret = keyBytes(secretKey, "secret");
    }
    try {
      const given = publicKey === undefined
        ? undefined
        : z85Encode(keyBytes(publicKey, "public"));
      this.#publicKey = given ?? curvePublicKey(z85Encode(this.#secret!));
      if (
        given && this.#secret &&
        curvePublicKey(z85Encode(this.#secret)) !== given
      ) {
        throw new CertificateError(
          "the public and the secret key do not belong together",
        );
      }
      for (const [name, value] of Object.entries(metadata ?? {})) {
        this.setMeta(name, value);
      }
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** A new key pair. Throws if the runtime has no secure random numbers. */
  static create(metadata?: Record<string, string>): Certificate {
    return new Certificate({
      ...curveKeyPair(),
      ...(metadata && { metadata }),
    });
  }

  /**
   * Of the text of a file. The secret key in `bytes` is wiped.
   *
   * @throws CertificateError for anything else than a certificate
   */
  static parse(bytes: Uint8Array): Certificate {
    const { publicKey, secretKey, metadata } = parseCertificate(bytes);
    try {
      const certificate = new Certificate({
        publicKey,
        ...(secretKey && { secretKey }),
      });
      // Taken as it is: pyzmq's names and values are less strict than CZMQ's.
      Object.assign(certificate.#metadata, metadata);
      return certificate;
    } finally {
      secretKey?.fill(0);
    }
  }

  /**
   * Of a file of CZMQ, pyzmq or this library: the public one, or with `_secret` at the
   * end of its name the one with both keys.
   *
   * @throws CertificateError if it cannot be read, is no certificate, or has a secret
   * key that other users may read
   */
  static async load(
    path: string,
    options: LoadOptions = {},
  ): Promise<Certificate> {
    let bytes: Uint8Array | undefined;
    let file: fs.FileHandle | undefined;
    try {
      file = await fs.open(path, "r");
      // Of the open file: the name may mean another one a moment later.
      const { mode, size } = await file.stat();
      if (size > 65536) throw new CertificateError("too large");
      bytes = new Uint8Array(await file.readFile());
      const certificate = Certificate.parse(bytes);
      const open = (mode & 0o077) !== 0 && platform() !== "win32";
      if (open && certificate.hasSecretKey && !options.othersMayRead) {
        certificate.destroy();
        throw new CertificateError(
          `other users may read this secret key (mode ${
            (mode & 0o777).toString(8)
          }): make it 600, or pass { othersMayRead: true }`,
        );
      }
      return certificate;
    } catch (error) {
      const { message } = error as Error;
      throw new CertificateError(`${path}: ${message}`, {
        ...(!(error instanceof CertificateError) && { cause: error }),
      });
    } finally {
      bytes?.fill(0);
      await file?.close();
    }
  }

  /** 40 characters of Z85. */
  get publicKey(): string {
    return this.#publicKey;
  }

  /** 40 characters of Z85 that nobody can wipe: rather use `apply`. Null if there is none. */
  get secretKey(): string | null {
    return this.#secret ? z85Encode(this.#secret) : null;
  }

  /** Whether there is a secret key: false after `destroy`. */
  get hasSecretKey(): boolean {
    return this.#secret !== undefined;
  }

  /** A copy of the metadata. */
  get metadata(): Record<string, string> {
    return { ...this.#metadata };
  }

  /** @throws CertificateError for a name or value that CZMQ could not read back */
  setMeta(name: string, value: string): void {
    checkMetadata(name, value);
    this.#metadata[name] = value;
  }

  /**
   * Makes these the keys of a socket, client or server. The certificate can be
   * destroyed afterwards.
   */
  apply(socket: CurveSocket): void {
    if (!this.#secret) {
      throw new CertificateError("there is no secret key in this certificate");
    }
    socket.curvePublicKey = this.#publicKey;
    const copy = this.#secret.slice();
    try {
      // Options take bytes too; a string could not be wiped.
      socket.curveSecretKey = copy as unknown as string;
    } finally {
      copy.fill(0);
    }
  }

  /** Writes the public key to `path` and both keys to `path` + "_secret". */
  async save(path: string): Promise<void> {
    await this.savePublic(path);
    await this.saveSecret(path + SECRET_SUFFIX);
  }

  /**
   * Writes the public key to a file.
   *
   * @throws CertificateError if it cannot be written
   */
  async savePublic(path: string): Promise<void> {
    const text = formatCertificate(this.#publicKey, undefined, this.#metadata);
    await write(path, text, 0o644);
  }

  /**
   * Writes both keys to a file that only its owner may read.
   *
   * @throws CertificateError if there is no secret key or it cannot be written
   */
  async saveSecret(path: string): Promise<void> {
    const secret = this.secretKey;
    if (secret === null) {
      throw new CertificateError(`${path}: there is no secret key to save`);
    }
    const text = formatCertificate(this.#publicKey, secret, this.#metadata);
    await write(path, text, 0o600);
  }

  /** Wipes the secret key; the public one stays. */
  destroy(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  /** What Node, Deno and Bun print of it: never the secret key. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Certificate ${JSON.stringify(this)}`;
  }

  /** What `JSON.stringify` makes of it: never the secret key. */
  toJSON(): { publicKey: string; metadata: Record<string, string> } {
    return { publicKey: this.#publicKey, metadata: this.metadata };
  }
}
// In a bundle the class has another name, because it uses its own.
Object.defineProperty(Certificate, "name", { value: "Certificate" });

/** Puts a file in place in one step: nobody sees half of it, or another mode. */
async function write(
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<void> {
  // Nobody need fail to guess it: what is there already is not written to.
  const part = `${path}.${Math.random().toString(36).slice(2)}.part`;
  try {
    await fs.writeFile(part, bytes, { flag: "wx", mode });
    await fs.rename(part, path);
  } catch (error) {
    await fs.rm(part, { force: true }).catch(() => {});
    throw new CertificateError(`${path}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    bytes.fill(0);
  }
}

/**
 * Makes a key pair and writes `name.key` and `name.key_secret` to a folder, as pyzmq
 * does. Returns both paths.
 */
export async function createCertificates(
  folder: string,
  name: string,
  metadata?: Record<string, string>,
): Promise<[publicFile: string, secretFile: string]> {
  const certificate = Certificate.create(metadata);
  const path = `${folder}/${name}.key`;
  try {
    await certificate.save(path);
  } finally {
    certificate.destroy();
  }
  return [path, path + SECRET_SUFFIX];
}
