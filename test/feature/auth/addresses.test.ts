import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Authenticator } from "zeromq-wasm/auth";
import { AddressList } from "../../../ts/feature/auth/addresses.ts";

const test = suite("addresses");

function inside(block: string, address: string): boolean | undefined {
  const list = new AddressList();
  list.add([block]);
  return list.has(address);
}

const YES = [
  ["127.0.0.1", "127.0.0.1"],
  ["10.0.0.0/8", "10.255.1.2"],
  ["10.1.2.3/8", "10.255.1.2"],
  ["192.168.1.128/25", "192.168.1.255"],
  ["0.0.0.0/0", "203.0.113.9"],
  ["127.0.0.1", "::ffff:127.0.0.1"],
  ["127.0.0.1", "::ffff:7f00:1"],
  ["::ffff:127.0.0.0/104", "127.9.9.9"],
  ["::1", "0:0:0:0:0:0:0:1"],
  ["2001:db8::/32", "2001:DB8:ffff::1"],
  ["2001:db8::/33", "2001:db8:7fff::"],
  ["::/0", "fe80::1"],
  ["fe80::/10", "fe80::1%eth0"],
  ["::ffff:0:0/96", "1.2.3.4"],
  ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
] as const;

const NO = [
  ["127.0.0.1", "127.0.0.2"],
  ["10.0.0.0/8", "11.0.0.0"],
  ["192.168.1.128/25", "192.168.1.127"],
  ["2001:db8::/33", "2001:db8:8000::"],
  ["::1", "::2"],
  // The families are apart.
  ["0.0.0.0/0", "::1"],
  ["::/0", "1.2.3.4"],
] as const;

for (const [block, address] of YES) {
  test(`${address} is in ${block}`, () => {
    assert.is(inside(block, address), true);
  });
}
for (const [block, address] of NO) {
  test(`${address} is not in ${block}`, () => {
    assert.is(inside(block, address), false);
  });
}

test("what is no address is neither in nor out", () => {
  for (const address of ["", "localhost", "1.2.3", "::g", "1.2.3.4.5"]) {
    assert.is(inside("0.0.0.0/0", address), undefined);
  }
});

test("rules that are no addresses are refused, and none of them is taken", () => {
  const bad = [
    "",
    "localhost",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.4/33",
    "1.2.3.4/",
    "1.2.3.4/-1",
    "::/129",
    "::ffff:1.2.3.4/95",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "1.2.3.4::",
    "::1.2.3.4.5",
    undefined,
    7,
  ];
  for (const text of bad) {
    const authenticator = new Authenticator();
    assert.throws(
      () => authenticator.allow("127.0.0.1", text as string),
      (error: Error) => error instanceof TypeError,
      `${text} was taken`,
    );
    // Nothing was allowed, so denying is possible.
    authenticator.deny("127.0.0.1");
  }
});

test("a whitelist or a blacklist, not both", () => {
  assert.throws(
    () => new Authenticator().allow("127.0.0.1").deny("::1"),
    /whitelist or a blacklist/,
  );
  assert.throws(
    () => new Authenticator().deny("127.0.0.1").allow("::1"),
    /whitelist or a blacklist/,
  );
});

test.run();
