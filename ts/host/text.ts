/**
 * LAYER 1, shared by the runtimes: text and bytes, also in realms that have no classes for that,
 * as Jest makes them with the globals of a page.
 */
interface Coders {
  readonly TextEncoder: new () => TextEncoder;
  readonly TextDecoder: new (
    label?: string,
    options?: { fatal?: boolean },
  ) => TextDecoder;
}

type Bytes = Uint8Array<ArrayBuffer>;
type Base64 = { fromBase64?(text: string): Bytes };
type NodeBuffer = { from(text: string, encoding: "base64"): Bytes };

const own = globalThis as Partial<Coders> & {
  Buffer?: NodeBuffer;
  atob?(text: string): string;
};
const { TextEncoder, TextDecoder } = own.TextEncoder && own.TextDecoder
  ? own as Coders
  : process.getBuiltinModule("node:util") as Coders;

export { TextDecoder };
export const encoder: TextEncoder = new TextEncoder();
export const decoder: TextDecoder = new TextDecoder();

export function fromBase64(text: string): Bytes {
  const native = (Uint8Array as Base64).fromBase64;
  if (native) return native.call(Uint8Array, text);
  if (own.Buffer) return own.Buffer.from(text, "base64");
  const { atob } = own.atob ? own : process.getBuiltinModule("node:buffer");
  return Uint8Array.from(atob!(text), (c) => c.charCodeAt(0));
}
