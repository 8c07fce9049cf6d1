/** Certificates in a folder: what the authenticator knows is what the folder holds. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Certificate,
  CertificateError,
  createCertificates,
  CURVE_ALLOW_ANY,
  z85Decode,
} from "zeromq-wasm/auth";
import { failure } from "../../support/deadline.ts";
import { curve, zapTests } from "./tools.ts";

const test = suite("authenticator's folder");
const zapTest = zapTests(test);

const folder = fs.mkdtempSync(join(tmpdir(), "authenticator-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));

zapTest(
  "a folder of certificates is followed",
  async ({ authenticator, client, log }) => {
    const place = join(folder, "clients");
    fs.mkdirSync(place);
    const status = async (certificate: Certificate) =>
      (await client.ask(...curve("d", certificate.publicKey)))[2];
    const first = Certificate.create({ name: "first", Role: "boss" });
    const second = Certificate.create();
    await first.save(join(place, "first.key"));
    await authenticator.configureCurve({ location: place });

    assert.equal(
      (await client.ask(...curve("d", first.publicKey))).slice(4),
      [first.publicKey, "\x04name\0\0\0\x05first\x04Role\0\0\0\x04boss"],
    );
    assert.is(await status(second), "400");
    await second.savePublic(join(place, "second.txt"));
    assert.is(await status(second), "200");
    fs.rmSync(join(place, "first.key"));
    // Its secret file is still there, and is none of the authenticator's business.
    assert.is(await status(first), "400");
    await first.savePublic(join(place, "second.txt"));
    assert.equal([await status(first), await status(second)], ["200", "400"]);
    assert.equal(log.errors, []);

    fs.writeFileSync(join(place, "junk.key"), "junk");
    assert.equal([await status(first), await status(first)], ["200", "200"]);
    assert.is(log.errors.length, 1, "a bad file is told of once");
    assert.match(log.errors[0]!.message, "junk.key: there is no public-key");

    fs.rmSync(place, { recursive: true });
    assert.equal([await status(first), await status(first)], ["400", "400"]);
    assert.is(log.errors.length, 2, "a missing folder is told of once");
    fs.mkdirSync(place);
    await first.savePublic(join(place, "back.key"));
    assert.is(await status(first), "200");
  },
);

zapTest(
  "a hundred questions at once about a folder of certificates",
  async ({ authenticator, client }) => {
    const place = join(folder, "many");
    fs.mkdirSync(place);
    const keys: string[] = [];
    for (let i = 0; i < 20; i++) {
      const [path] = await createCertificates(place, `${i}`);
      keys.push((await Certificate.load(path)).publicKey);
    }
    await authenticator.configureCurve({ location: place });
    for (let i = 0; i < 100; i++) {
      const key = i % 2 ? keys[i % 20]! : Certificate.create().publicKey;
      await client.send("1.0", `${i}`, "d", "", "r", "CURVE", z85Decode(key));
    }
    for (let i = 0; i < 100; i++) {
      const [, id, status] = await client.answer();
      assert.is(status, Number(id) % 2 ? "200" : "400");
    }
  },
);

zapTest("no folder: nobody is let in", async ({ authenticator, client }) => {
  await authenticator.configureCurve({ location: CURVE_ALLOW_ANY });
  const error = await failure(
    () => authenticator.configureCurve({ location: join(folder, "none") }),
    "configuring it",
  );
  assert.instance(error, CertificateError);
  const key = Certificate.create().publicKey;
  assert.is((await client.ask(...curve("d", key)))[3], "Unknown key");
});

test.run();
