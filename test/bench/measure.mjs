// How each kind of scenario is run once: which peers, in which order, and what comes
// out. Every function gives a flat object of numbers.

import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { withPeers } from "./launch.mjs";

let paths = 0;

/** Where the binding side binds. */
function endpoint(transport) {
  if (transport !== "ipc") return "tcp://127.0.0.1:*";
  return `ipc://${join(tmpdir(), `zmq-bench-${process.pid}-${++paths}`)}`;
}

function expect(what, actual, wanted) {
  if (actual !== wanted) {
    throw new Error(`${what}: ${actual} instead of ${wanted}`);
  }
}

/** Of two values that may both be missing. */
const larger = (a, b) => a === undefined ? b : Math.max(a, b ?? a);

/** The rate and its costs, from what both sides measured. */
function flow(received, sent, size) {
  const rate = received.count / received.seconds;
  return {
    rate,
    bytes: rate * size,
    sendCpu: sent.cpu / sent.count * 1e6,
    receiveCpu: received.cpu / received.count * 1e6,
    delayP99: larger(sent.delayP99, received.delayP99),
    delayMax: larger(sent.delayMax, received.delayMax),
  };
}

export function pushPull(runtime, { transport, ...rest }) {
  return withPeers(async (start) => {
    const bind = endpoint(transport);
    const job = { ...rest, ...runtime.job };
    try {
      const pull = start(runtime, { ...job, job: "pull", bind });
      const { address } = await pull.next();
      const push = start(runtime, { ...job, job: "push", connect: address });
      await push.next();
      const { result: received } = await pull.next();
      push.tell();
      const { result: sent } = await push.next();
      expect("received", received.count, sent.count);
      return flow(received, sent, rest.size);
    } finally {
      if (transport === "ipc") rmSync(bind.slice(6), { force: true });
    }
  });
}

export function inproc(runtime, job) {
  return withPeers(async (start) => {
    const both = start(runtime, { ...job, ...runtime.job, job: "pair" });
    const { result } = await both.next();
    expect("received", result.count, result.sent);
    const rate = result.count / result.seconds;
    return {
      rate,
      bytes: rate * job.size,
      bothCpu: result.cpu / result.count * 1e6,
      delayP99: result.delayP99,
      delayMax: result.delayMax,
    };
  });
}

export function pubSub(runtime, rest) {
  return withPeers(async (start) => {
    const job = { ...rest, ...runtime.job };
    const pub = start(runtime, { ...job, job: "pub", bind: endpoint() });
    const { address } = await pub.next();
    const sub = start(runtime, { ...job, job: "sub", connect: address });
    await sub.next();
    pub.tell();
    await pub.next();
    const { result: received } = await sub.next();
    pub.tell();
    const { result: sent } = await pub.next();
    expect("received", received.count, sent.count * rest.peers);
    return flow(received, sent, rest.size);
  });
}

export function reqRep(runtime, rest) {
  return withPeers(async (start) => {
    const job = { ...rest, ...runtime.job };
    const rep = start(runtime, { ...job, job: "rep", bind: endpoint() });
    const { address } = await rep.next();
    const req = start(runtime, { ...job, job: "req", connect: address });
    const { result } = await req.next();
    return {
      rate: result.count / result.seconds,
      p50: result.p50,
      p99: result.p99,
      p999: result.p999,
      requestCpu: result.cpu / result.count * 1e6,
    };
  });
}

function trips(result) {
  return {
    trips: result.count / result.seconds,
    fairness: result.fairness,
    clientCpu: result.cpu / result.count * 1e6,
    delayP99: result.delayP99,
    delayMax: result.delayMax,
  };
}

export function routerDealers(runtime, rest) {
  return withPeers(async (start) => {
    const job = { ...rest, ...runtime.job };
    const router = start(runtime, { ...job, job: "router", bind: endpoint() });
    const { address } = await router.next();
    const clients = start(runtime, {
      ...job,
      job: "dealers",
      connect: address,
    });
    const { result } = await clients.next();
    return trips(result);
  });
}

export function proxied(runtime, rest) {
  return withPeers(async (start) => {
    const job = { ...rest, ...runtime.job };
    const proxy = start(runtime, { ...job, job: "proxy", bind: endpoint() });
    const { address, back } = await proxy.next();
    start(runtime, { ...job, job: "router", connect: back });
    const clients = start(runtime, {
      ...job,
      job: "dealers",
      connect: address,
    });
    const { result } = await clients.next();
    return trips(result);
  });
}
