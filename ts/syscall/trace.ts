/**
 * The trace of a context: a line for each system call of libzmq, each event of the
 * network and each message, for people who ask what happened.
 */

/** Takes one line, without its newline. */
export type Trace = (line: string) => void;

/**
 * The trace of a program, which may fail at any time: calls of it come from within the module,
 * which cannot go on after an exception. So what it throws is thrown in a task of its own.
 */
export function harmless(trace: Trace): Trace {
  return (line) => {
    try {
      trace(line);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}

/** What is so large is no message but the module's memory. */
const LEAST_MEMORY = 4 * 2 ** 20;

function show(value: unknown): string {
  if (value instanceof Uint8Array) {
    return value.length >= LEAST_MEMORY ? "memory" : `${value.length} bytes`;
  }
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const { host, port, bytes, pointer } = value as {
      host?: string;
      port?: number;
      bytes?: Uint8Array;
      pointer?: number;
    };
    if (pointer !== undefined) return String(pointer);
    if (bytes) return `a body of ${bytes.length} bytes`;
    return host === undefined ? "{...}" : `${host}:${port}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** From now on each call of these methods of `target` is told, with its result. */
export function traceCalls<T extends object>(
  target: T,
  kind: string,
  methods: readonly (keyof T & string)[],
  trace: Trace,
): void {
  for (const name of methods) {
    const method = target[name] as (...args: unknown[]) => unknown;
    const told = (...args: unknown[]): unknown => {
      const result = method.apply(target, args);
      trace(
        `${kind} ${name}(${args.map(show).join(", ")})` +
          (result === undefined ? "" : ` = ${show(result)}`),
      );
      return result;
    };
    Object.defineProperty(target, name, { value: told });
  }
}
