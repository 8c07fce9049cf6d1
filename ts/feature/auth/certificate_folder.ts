/** A folder of public certificates, looked at again whenever somebody asks. */
import * as fs from "node:fs/promises";
import { Certificate, SECRET_SUFFIX } from "./certificate.ts";
import { CertificateError } from "./zpl.ts";

interface Known {
  /** Tells whether the file is still the same. */
  readonly mark: string;
  readonly certificate: Certificate | undefined;
}

/** The certificates of a folder by public key; files with secret keys are left out. */
export async function loadCertificates(
  folder: string,
): Promise<Map<string, Certificate>> {
  const errors: CertificateError[] = [];
  const store = new CertificateFolder(folder, (error) => errors.push(error));
  const found = await store.load();
  if (errors.length > 0) throw errors[0]!;
  return found;
}

export class CertificateFolder {
  readonly path: string;
  readonly #fault: (error: CertificateError) => void;
  #files = new Map<string, Known>();
  #keys = new Map<string, Certificate>();
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure = "";

  /** `fault` is told once of each file that is no certificate. */
  constructor(path: string, fault: (error: CertificateError) => void) {
    this.path = path;
    this.#fault = fault;
  }

  /** Reads the folder. Rejects if there is no such folder. */
  async load(): Promise<Map<string, Certificate>> {
    await this.#scan();
    return this.#keys;
  }

  /**
   * The certificate of a key, as the folder is now: a file that has been added counts
   * and one that was removed does not. If the folder cannot be read, nobody is known.
   */
  async find(publicKey: string): Promise<Certificate | undefined> {
    await this.#fresh();
    return this.#keys.get(publicKey);
  }

  /** A scan that starts from now on: one at a time, and all who wait share the next. */
  #fresh(): Promise<void> {
    if (!this.#running) return this.#start();
    return this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#start();
    });
  }

  #start(): Promise<void> {
    const scan = this.#scan().then(
      () => {
        this.#failure = "";
      },
      (error: CertificateError) => {
        if (this.#failure !== error.message) this.#fault(error);
        this.#failure = error.message;
      },
    ).finally(() => this.#running = undefined);
    return this.#running = scan;
  }

  async #scan(): Promise<void> {
    let names: string[];
    try {
      names = (await fs.readdir(this.path)).filter((name) =>
        !name.startsWith(".") && !name.endsWith(SECRET_SUFFIX) &&
        !name.endsWith(".part")
      );
    } catch (error) {
      this.#files.clear();
      this.#keys = new Map();
      throw new CertificateError(`${this.path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    const files = new Map<string, Known>();
    const keys = new Map<string, Certificate>();
    for (const name of names.sort()) {
      const known = await this.#look(name);
      if (!known) continue;
      files.set(name, known);
      const { certificate } = known;
      if (certificate) keys.set(certificate.publicKey, certificate);
    }
    this.#files = files;
    this.#keys = keys;
  }

  /** The file as it is, or undefined if it is gone or is no file. */
  async #look(name: string): Promise<Known | undefined> {
    const path = `${this.path}/${name}`;
    const before = this.#files.get(name);
    let mark: string;
    try {
      const stat = await fs.stat(path);
      if (!stat.isFile()) return undefined;
      mark = [stat.mtimeMs, stat.ctimeMs, stat.size, stat.ino].join(" ");
    } catch {
      return undefined;
    }
    if (before?.mark === mark) return before;
    try {
      const certificate = await Certificate.load(path, { othersMayRead: true });
      if (certificate.hasSecretKey) {
        certificate.destroy();
        this.#fault(
          new CertificateError(
            `${path}: holds a secret key, and only public ones belong here`,
          ),
        );
      }
      return { mark, certificate };
    } catch (error) {
      this.#fault(error as CertificateError);
      return { mark, certificate: undefined };
    }
  }
}
