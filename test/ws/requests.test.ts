/** Upgrade requests and answers that are wrong, and those that are odd and right. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Context, Dealer, type ZmqError } from "zeromq-wasm";
import {
  Cleanup,
  dial,
  Listener,
  type Peer,
  within,
} from "../patches/hostile.ts";
import { bytes, upgrade, wsFrame } from "../patches/zmtp.ts";
import { checkError, rejection, thrown } from "../socket/tools.ts";

const BINARY = 2;
const test = suite("ws requests");
let cleanup: Cleanup;
let dealer: Dealer;

test.before.each(() => {
  cleanup = new Cleanup();
  const context = new Context({ blocky: false });
  dealer = cleanup.add(new Dealer({ context, reconnectInterval: 10 }));
});
test.after.each(() => cleanup.close());

const text = async (): Promise<string> =>
  String(await within(dealer.receive(), "a message"));

/** A request that is in order; `changes` replaces headers, undefined leaves one out. */
function request(
  changes: Record<string, string | undefined> = {},
  line = "GET / HTTP/1.1",
): string {
  const headers: Record<string, string | undefined> = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "ZWS2.0",
    "Sec-WebSocket-Version": "13",
    ...changes,
  };
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`);
  return [line, ...lines, "", ""].join("\r\n");
}

/** Sends the empty routing id and a message, which must arrive. */
async function works(peer: Peer): Promise<void> {
  await peer.send(wsFrame(BINARY, [0]), wsFrame(BINARY, "\0hello"));
  assert.is(await text(), "hello");
}

async function honestIsServed(): Promise<void> {
  const honest = cleanup.add(await dial(dealer));
  await honest.send(upgrade("ZWS2.0"));
  await works(honest);
}

const long = "x".repeat(2048);

for (
  const [what, changed] of Object.entries({
    "names in lower case": request().toLowerCase()
      .replace("get /", "GET /").replace("http", "HTTP")
      .replace("zws", "ZWS").replace("dghlihnhbxbszsbub25jzq==", "AAAA"),
    "values in another case": request({
      Upgrade: "WebSocket",
      Connection: "upgrade",
    }),
    "no space after a colon": request().replaceAll(": ", ":"),
    "several spaces after a colon": request().replaceAll(": ", ":   "),
    "a path with a query": request({}, "GET /some/path?a=b&c=d HTTP/1.1"),
    "a list of protocols": request({
      "Sec-WebSocket-Protocol": "other, ZWS2.0, ZWS2.0/NULL",
    }),
    "the longest header": request({ "X-Long": long }),
    "many headers": request(
      Object.fromEntries(
        Array.from({ length: 500 }, (_, i) => [`X-${i}`, long.slice(0, 100)]),
      ),
    ),
    "an empty header": request({ "X-Empty": "" }),
  })
) {
  test(`a request with ${what}`, async () => {
    await dealer.bind("ws://127.0.0.1:*");
    const peer = cleanup.add(await dial(dealer));
    await peer.send(bytes(changed));
    const answer = String(await peer.readTo("\r\n\r\n"));
    assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(answer, /\r\nSec-WebSocket-Protocol: ZWS2\.0\r\n/);
    await works(peer);
  });
}

test("the answer to a key is what RFC 6455 says", async () => {
  await dealer.bind("ws://127.0.0.1:*");
  const peer = cleanup.add(await dial(dealer));
  await peer.send(bytes(request()));
  const answer = String(await peer.readTo("\r\n\r\n"));
  assert.match(answer, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r/);
});

test("a request that comes byte by byte", async () => {
  await dealer.bind("ws://127.0.0.1:*");
  const peer = cleanup.add(await dial(dealer));
  const all = bytes(
    upgrade("ZWS2.0"),
    wsFrame(BINARY, [0]),
    wsFrame(BINARY, "\0hello"),
  );
  for (const byte of all) {
    await peer.send(bytes([byte]));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.is(await text(), "hello");
});

for (
  const [what, wrong] of Object.entries({
    "POST": request({}, "POST / HTTP/1.1"),
    "HTTP/1.0": request({}, "GET / HTTP/1.0"),
    "no version": request({}, "GET /"),
    "HTTP/2's preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "ZMTP": "\xff\0\0\0\0\0\0\0\x01\x7f\x03\x01NULL",
    "TLS": "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
    "bare newlines": request().replaceAll("\r\n", "\n"),
    "no upgrade": request({ Upgrade: undefined }),
    "another upgrade": request({ Upgrade: "h2c" }),
    "no connection": request({ Connection: undefined }),
    "no key": request({ "Sec-WebSocket-Key": undefined }),
    "no protocol": request({ "Sec-WebSocket-Protocol": undefined }),
    "another protocol": request({ "Sec-WebSocket-Protocol": "chat" }),
    "another mechanism": request({ "Sec-WebSocket-Protocol": "ZWS2.0/CURVE" }),
    "part of a protocol": request({ "Sec-WebSocket-Protocol": "ZWS2" }),
    "commas only": request({ "Sec-WebSocket-Protocol": ",,, ,," }),
    "a header too long": request({ "X-Long": `${long}x` }),
    "a header's name too long": request({ [long.slice(0, 1025)]: "x" }),
    "a header without a colon": request().replace("Host:", "Host"),
  })
) {
  test(`a request is refused: ${what}`, async () => {
    await dealer.bind("ws://127.0.0.1:*");
    const peer = cleanup.add(await dial(dealer));
    await peer.send(bytes(wrong));
    const answer = String(await peer.ended());
    assert.not.match(answer, / 101 /);
    await honestIsServed();
  });
}

/** What a server answers with. */
function response(
  changes: Record<string, string | undefined> = {},
  line = "HTTP/1.1 101 Switching Protocols",
): string {
  return request({
    "Host": undefined,
    "Sec-WebSocket-Key": undefined,
    "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    "Sec-WebSocket-Version": undefined,
    ...changes,
  }, line);
}

/** What a server sends is not masked. */
const unmasked = (body: string) => bytes([0x80 | BINARY, body.length], body);

test("what a client asks for", async () => {
  const listener = cleanup.add(await Listener.start());
  dealer.connect(`ws://${listener.address}/a/b?c=/d`);
  const peer = await listener.accept();
  const asked = String(await peer.readTo("\r\n\r\n"));
  assert.match(asked, /^GET \/a\/b\?c=\/d HTTP\/1\.1\r\n/);
  assert.match(asked, /\r\nHost: 127\.0\.0\.1\r\n/);
  assert.match(asked, /\r\nSec-WebSocket-Key: [A-Za-z0-9+/]{22}==\r\n/);
  await peer.send(bytes(response()), unmasked("\0"), unmasked("\0hi"));
  assert.is(await text(), "hi");
});

for (
  const [what, wrong] of Object.entries({
    "200": response({}, "HTTP/1.1 200 OK"),
    "404": "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "a redirection": response({ Location: "/x" }, "HTTP/1.1 301 Moved"),
    "HTTP/1.0": response({}, "HTTP/1.0 101 Switching Protocols"),
    "nothing of HTTP": "220 mail ESMTP\r\n",
    "no upgrade": response({ Upgrade: undefined }),
    "no connection": response({ Connection: undefined }),
    "no accept": response({ "Sec-WebSocket-Accept": undefined }),
    "no protocol": response({ "Sec-WebSocket-Protocol": undefined }),
    "a protocol not asked for": response({
      "Sec-WebSocket-Protocol": "ZWS2.0/CURVE",
    }),
    "a header too long": response({ "X-Long": `${long}x` }),
  })
) {
  test(`an answer is refused: ${what}`, async () => {
    const listener = cleanup.add(await Listener.start());
    dealer.connect(`ws://${listener.address}`);
    const hostile = await listener.accept();
    await hostile.readTo("\r\n\r\n");
    await hostile.send(bytes(wrong));
    await hostile.ended();
    // libzmq does not try such a server again, but others.
    const other = cleanup.add(await Listener.start());
    dealer.connect(`ws://${other.address}`);
    const honest = await other.accept();
    await honest.readTo("\r\n\r\n");
    await honest.send(bytes(response()), unmasked("\0"), unmasked("\0hi"));
    assert.is(await text(), "hi");
  });
}

test("a server that ends the connection is tried again", async () => {
  const listener = cleanup.add(await Listener.start());
  dealer.connect(`ws://${listener.address}`);
  for (const part of ["", "HTTP/1.1 101", response().slice(0, -2)]) {
    const hostile = await listener.accept();
    await hostile.readTo("\r\n\r\n");
    await hostile.send(bytes(part));
    hostile.finish();
    await hostile.ended();
  }
  const honest = await listener.accept();
  await honest.readTo("\r\n\r\n");
  await honest.send(bytes(response()), unmasked("\0"), unmasked("\0hi"));
  assert.is(await text(), "hi");
});

for (const path of ["/", "/a/", "/a/b", "/a:b", "/a/b:0", "/a:99999"]) {
  test(`an endpoint with the path ${path}`, async () => {
    await dealer.bind(`ws://127.0.0.1:*${path}`);
    const endpoint = dealer.lastEndpoint!;
    assert.is(endpoint.replace(/^ws:..127.0.0.1:[0-9]+/, ""), path);
    const context = new Context({ blocky: false });
    const other = cleanup.add(new Dealer({ context, reconnectInterval: 10 }));
    other.connect(endpoint);
    await within(other.send("hi"), "a connection");
    assert.is(await text(), "hi");
    await dealer.unbind(endpoint);
  });
  test(`the path ${path} is asked for`, async () => {
    const listener = cleanup.add(await Listener.start());
    dealer.connect(`ws://${listener.address}${path}`);
    const peer = await listener.accept();
    assert.match(String(await peer.readTo("\r\n\r\n")), `GET ${path} HTTP/1.1`);
  });
}

for (
  const [what, path] of Object.entries({
    "is too long for libzmq": `/${"x".repeat(8192)}`,
    "would add a header": "/ HTTP/1.1\r\nX-Header: x",
    "has a space": "/a b",
    "is not ASCII": "/ä",
  })
) {
  test(`a path that ${what}`, async () => {
    const address = `ws://127.0.0.1:5555${path}`;
    checkError(thrown(() => dealer.connect(address)), "EINVAL", { address });
    checkError(await rejection(dealer.bind(address)), "EINVAL", { address });
  });
}

test("a server that knows no WebSocket is an event with a code of its own", async () => {
  const listener = cleanup.add(await Listener.start());
  const failed = new Promise<ZmqError>((resolve) =>
    dealer.events.on(
      "handshake:error:protocol",
      (event) => resolve(event.error),
    )
  );
  dealer.connect(`ws://${listener.address}`);
  const peer = await listener.accept();
  await peer.readTo("\r\n\r\n");
  await peer.send(
    bytes("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!"),
  );
  const { code, message } = await within(failed, "the event");
  assert.is(code, "ERR_UNKNOWN");
  assert.is(message, "ZMTP protocol error");
});

test.run();
