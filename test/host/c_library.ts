/** Whether Deno may call the C library here, which reads and writes past it. */
interface Deno {
  readonly build: { readonly os: string };
  readonly permissions: {
    querySync(descriptor: { name: string }): { state: string };
  };
}
const { Deno } = globalThis as unknown as { Deno?: Deno };

export const callsC: boolean = Deno?.build.os === "linux" &&
  Deno.permissions.querySync({ name: "ffi" }).state === "granted";
