/**
 * zeromq-wasm/auth: who may connect, as pyzmq's zmq.auth and CZMQ's zauth and zcert
 * have it.
 *
 * @example
 * import { Authenticator, Certificate } from "zeromq-wasm/auth";
 */
export { Authenticator, CURVE_ALLOW_ANY } from "./authenticator.ts";
export type {
  AuthenticatorOptions,
  CurveOptions,
  Decision,
  PlainOptions,
} from "./authenticator.ts";
export { Certificate, createCertificates } from "./certificate.ts";
export type { CertificateKeys, LoadOptions } from "./certificate.ts";
export { loadCertificates } from "./certificate_folder.ts";
export type {
  Check,
  CurveRequest,
  Passwords,
  PlainRequest,
  Verdict,
} from "./policies.ts";
export { z85Decode, z85Encode } from "./z85.ts";
export type { Status, ZapRequest } from "./zap.ts";
export { CertificateError } from "./zpl.ts";
