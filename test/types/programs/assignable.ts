/**
 * Compared type by type: the native package's declarations and ours. Compiles only if
 * the deliberate differences are exactly those that are listed here.
 */
import type * as N from "zeromq";
import type * as ND from "zeromq/draft";
import type * as O from "zeromq-wasm";
import type * as OD from "zeromq-wasm/draft";

/**
 * Members whose types are classes, which are compared by themselves, or generic in the
 * event, each of which is compared by itself; usage.ts uses them.
 */
type ComparedByParts =
  | "backEnd"
  | "context"
  | "events"
  | "frontEnd"
  | "off"
  | "on";

/** The deliberate difference: what has bytes can be set to bytes too, not only to strings. */
type BinaryOption =
  | "curvePublicKey"
  | "curveSecretKey"
  | "curveServerKey"
  | "routingId"
  | "welcomeMessage";

type Mutual<A, B> = [A] extends [B] ? [B] extends [A] ? true : false : false;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;
type Method = (...values: never[]) => unknown;

/** What is public of a class: with private members two classes are never the same. */
type Public<T> = T extends Method ? T
  : T extends object ? { [K in keyof T]: T[K] }
  : T;
/** The members of A that are not in B, or not the same there. */
type Differing<A, B> = {
  [K in keyof A]-?: K extends keyof B ? K extends ComparedByParts ? never
    : Mutual<Public<A[K]>, Public<B[K]>> extends true ? never
    : K
    : K;
}[keyof A];
/** Whether options for the native constructor (A) fit ours (B), and the reverse. */
type SameOptions<A, B> = Omit<A, "context"> extends Omit<B, "context">
  ? Omit<B, "context" | BinaryOption> extends Omit<A, "context" | BinaryOption>
    ? Equal<Extract<keyof A, keyof B>, keyof A>
  : false
  : false;

// That differences are seen.
check<Equal<Differing<{ a: 1; b: 2; c: 3 }, { a: 1; b: 3 }>, "b" | "c">>();
check<Equal<SameOptions<{ a?: 1; b?: 2 }, { a?: 1; b?: 3 }>, false>>();
check<Equal<SameOptions<{ a?: 1; b?: 2 }, { a?: 1 }>, false>>();

function check<_Holds extends true>(): void {}

check<Mutual<N.Message, O.Message>>();
check<Mutual<N.MessageLike, O.MessageLike>>();
check<Mutual<N.EventType, O.EventType>>();
check<Mutual<N.Writable, O.Writable>>();
check<Mutual<N.Readable, O.Readable>>();
check<
  Mutual<N.Writable<string, [{ a: 1 }]>, O.Writable<string, [{ a: 1 }]>>
>();
check<Mutual<N.Readable<[Buffer, Buffer]>, O.Readable<[Buffer, Buffer]>>>();
check<Equal<keyof N.EventSubscriber, keyof O.EventSubscriber>>();
check<Mutual<N.RouterConnectOptions, N.StreamConnectOptions>>();
check<
  Required<N.RouterConnectOptions> extends O.RouterConnectOptions ? true : false
>();
check<
  Required<N.StreamConnectOptions> extends O.StreamConnectOptions ? true : false
>();
check<Mutual<typeof N.version, typeof O.version>>();
check<Mutual<typeof N.capability, typeof O.capability>>();
check<Mutual<typeof N.curveKeyPair, typeof O.curveKeyPair>>();

// Each event, both ways.
type EventsDiffer = {
  [E in N.EventType]: Mutual<N.EventOfType<E>, O.EventOfType<E>> extends true
    ? never
    : E;
}[N.EventType];
check<Equal<EventsDiffer, never>>();

check<Equal<Differing<N.Socket, O.Socket>, never>>();
check<Equal<Differing<N.Context, O.Context>, never>>();
check<Equal<Differing<N.Observer, O.Observer>, never>>();
check<Equal<Differing<N.Proxy, O.Proxy>, never>>();
check<Equal<Differing<N.Pair, O.Pair>, never>>();
check<Equal<Differing<N.Publisher, O.Publisher>, never>>();
check<Equal<Differing<N.Subscriber, O.Subscriber>, never>>();
check<Equal<Differing<N.Request, O.Request>, never>>();
check<Equal<Differing<N.Reply, O.Reply>, never>>();
check<Equal<Differing<N.Dealer, O.Dealer>, never>>();
check<Equal<Differing<N.Router, O.Router>, never>>();
check<Equal<Differing<N.Pull, O.Pull>, never>>();
check<Equal<Differing<N.Push, O.Push>, never>>();
check<Equal<Differing<N.XPublisher, O.XPublisher>, never>>();
check<Equal<Differing<N.XSubscriber, O.XSubscriber>, never>>();
check<Equal<Differing<N.Stream, O.Stream>, never>>();
check<Equal<Differing<ND.Server, OD.Server>, never>>();
check<Equal<Differing<ND.Client, OD.Client>, never>>();
check<Equal<Differing<ND.Radio, OD.Radio>, never>>();
check<Equal<Differing<ND.Dish, OD.Dish>, never>>();
check<Equal<Differing<ND.Gather, OD.Gather>, never>>();
check<Equal<Differing<ND.Scatter, OD.Scatter>, never>>();
check<Equal<Differing<ND.Datagram, OD.Datagram>, never>>();

check<SameOptions<N.SocketOptions<N.Pair>, O.SocketOptions<O.Pair>>>();
check<
  SameOptions<N.SocketOptions<N.Publisher>, O.SocketOptions<O.Publisher>>
>();
check<
  SameOptions<N.SocketOptions<N.Subscriber>, O.SocketOptions<O.Subscriber>>
>();
check<SameOptions<N.SocketOptions<N.Request>, O.SocketOptions<O.Request>>>();
check<SameOptions<N.SocketOptions<N.Reply>, O.SocketOptions<O.Reply>>>();
check<SameOptions<N.SocketOptions<N.Dealer>, O.SocketOptions<O.Dealer>>>();
check<SameOptions<N.SocketOptions<N.Router>, O.SocketOptions<O.Router>>>();
check<SameOptions<N.SocketOptions<N.Pull>, O.SocketOptions<O.Pull>>>();
check<SameOptions<N.SocketOptions<N.Push>, O.SocketOptions<O.Push>>>();
check<
  SameOptions<N.SocketOptions<N.XPublisher>, O.SocketOptions<O.XPublisher>>
>();
check<
  SameOptions<N.SocketOptions<N.XSubscriber>, O.SocketOptions<O.XSubscriber>>
>();
check<SameOptions<N.SocketOptions<N.Stream>, O.SocketOptions<O.Stream>>>();
check<SameOptions<N.SocketOptions<ND.Server>, O.SocketOptions<OD.Server>>>();
check<SameOptions<N.SocketOptions<ND.Client>, O.SocketOptions<OD.Client>>>();
check<SameOptions<N.SocketOptions<ND.Radio>, O.SocketOptions<OD.Radio>>>();
check<SameOptions<N.SocketOptions<ND.Dish>, O.SocketOptions<OD.Dish>>>();
check<SameOptions<N.SocketOptions<ND.Gather>, O.SocketOptions<OD.Gather>>>();
check<SameOptions<N.SocketOptions<ND.Scatter>, O.SocketOptions<OD.Scatter>>>();
check<
  SameOptions<N.SocketOptions<ND.Datagram>, O.SocketOptions<OD.Datagram>>
>();
