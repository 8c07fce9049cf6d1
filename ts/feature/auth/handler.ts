/** The socket of a ZAP handler, to which libzmq sends its requests. */
import { type Context, Router } from "zeromq-wasm";
import { ZAP_ENDPOINT } from "./zap.ts";

/** Rejects with EADDRINUSE if the context has a handler already. */
export async function openHandler(context: Context): Promise<Router> {
  const router = new Router({
    context,
    linger: 1000,
    sendHighWaterMark: 0,
    receiveHighWaterMark: 0,
  });
  try {
    await router.bind(ZAP_ENDPOINT);
  } catch (error) {
    router.close();
    if ((error as { code?: string }).code === "EADDRINUSE") {
      (error as Error).message =
        "The context has a ZAP handler already: one authenticator, or a socket bound to " +
        ZAP_ENDPOINT;
    }
    throw error;
  }
  return router;
}
