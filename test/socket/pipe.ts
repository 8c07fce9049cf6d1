/** Two sockets within a context: not in tools.ts, which does not load the package. */
import { Context, Pull, Push } from "zeromq-wasm";
import { bound, use } from "./tools.ts";

export interface Pipe {
  readonly context: Context;
  readonly push: Push;
  readonly pull: Pull;
}

export async function pipe(context: Context = new Context()): Promise<Pipe> {
  const push = use(new Push({ context, linger: 0 }));
  const pull = use(new Pull({ context }));
  push.connect(await bound(pull, "inproc"));
  return { context, push, pull };
}
