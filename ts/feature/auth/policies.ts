/** Who is let in: the rules of one domain for PLAIN and for CURVE. */
import { encoder } from "../../host/text.ts";
import type { CertificateFolder } from "./certificate_folder.ts";
import type { Status, ZapReply, ZapRequest } from "./zap.ts";

/** What a check of your own may say besides true and false. */
export interface Verdict {
  readonly status: Status;
  /** For the log; it is not sent to the peer. */
  readonly reason?: string;
  /** Instead of the user name or the public key. */
  readonly userId?: string;
  /** More properties for the messages of this peer. */
  readonly metadata?: Readonly<Record<string, string>>;
}

type Answer = boolean | Verdict;
/** A check of your own. What it throws refuses the peer, with status 500. */
export type Check<R> = (request: R) => Answer | Promise<Answer>;

export type PlainRequest = Extract<ZapRequest, { mechanism: "PLAIN" }>;
export type CurveRequest = Extract<ZapRequest, { mechanism: "CURVE" }>;

/** User names and passwords; may be changed at any time. */
export type Passwords =
  | Readonly<Record<string, string>>
  | ReadonlyMap<string, string>;

export type PlainPolicy =
  | { readonly passwords: Passwords }
  | { readonly check: Check<PlainRequest> };
export type CurvePolicy =
  | { readonly any: true }
  | { readonly folder: CertificateFolder }
  | { readonly keys: ReadonlySet<string> }
  | { readonly check: Check<CurveRequest> };

export function refusal(reason: string, status: Status = 400): ZapReply {
  return { status, reason, userId: "", metadata: {} };
}

export function admission(
  userId: string,
  metadata: Readonly<Record<string, string>> = {},
): ZapReply {
  return { status: 200, reason: "OK", userId, metadata };
}

export async function judgePlain(
  policy: PlainPolicy,
  request: PlainRequest,
): Promise<ZapReply> {
  const { username, password } = request;
  if ("check" in policy) {
    return settle(
      await policy.check(request),
      username,
      "Invalid user or password",
    );
  }
  const { passwords } = policy;
  const wanted = passwords instanceof Map
    ? passwords.get(username)
    : Object.hasOwn(passwords, username)
    ? (passwords as Record<string, string>)[username]
    : undefined;
  if (typeof wanted !== "string") return refusal("Invalid username");
  return sameText(wanted, password)
    ? admission(username)
    : refusal("Invalid password");
}

export async function judgeCurve(
  policy: CurvePolicy,
  request: CurveRequest,
): Promise<ZapReply> {
  const { publicKey } = request;
  if ("check" in policy) {
    return settle(await policy.check(request), publicKey, "Unknown key");
  }
  if ("any" in policy) return admission(publicKey);
  if ("keys" in policy) {
    return policy.keys.has(publicKey)
      ? admission(publicKey)
      : refusal("Unknown key");
  }
  const certificate = await policy.folder.find(publicKey);
  return certificate
    ? admission(publicKey, certificate.metadata)
    : refusal("Unknown key");
}

/** Takes nothing for a yes but true and a status of 200. */
function settle(answer: unknown, userId: string, no: string): ZapReply {
  if (answer === true) return admission(userId);
  if (answer === false) return refusal(no);
  const verdict = answer as Partial<Verdict> | null | undefined;
  switch (verdict?.status) {
    case 200:
      return admission(verdict.userId ?? userId, verdict.metadata);
    case 300:
      return refusal(verdict.reason ?? "Try again later", 300);
    case 400:
    case 500:
      return refusal(verdict.reason ?? no, verdict.status);
    default:
      throw new TypeError(
        "a check must return true, false or an object with a status of 200, 300, 400 or 500",
      );
  }
}

/** Takes the same time wherever the texts differ. */
function sameText(a: string, b: string): boolean {
  const [x, y] = [encoder.encode(a), encoder.encode(b)];
  let differ = x.length ^ y.length;
  for (let i = 0; i < y.length; i++) differ |= y[i]! ^ (x[i % x.length] ?? 0);
  return differ === 0;
}
