/** What is true of every file in the repository, and of the patches. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";

/** Lines that the patches which let libzmq run here may change, together. */
const HOST_PATCH_LINES = 60;
const test = suite("tracked");

let tracked: string[] = [];
let untracked = false;
try {
  tracked = execFileSync("git", ["ls-files", "-z"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).split("\0").filter(Boolean);
} catch {
  // Unpacked from an archive: there is nothing to ask.
  untracked = true;
}
const trackedTest = untracked ? test.skip : test;

/** Lines of tracked files, as "file:line: text", that match. */
function lines(pattern: RegExp, include: (file: string) => boolean): string[] {
  const found = [];
  for (const file of tracked.filter(include)) {
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      continue; // Deleted, and not committed yet.
    }
    for (const [i, line] of text.split("\n").entries()) {
      if (pattern.test(line)) found.push(`${file}:${i + 1}: ${line.trim()}`);
    }
  }
  return found;
}

trackedTest("no host of a package registry", () => {
  const hosts = new RegExp(
    [
      "npmjs[.](?:org|com)",
      "npm[.]pkg[.]github",
      "yarnpkg[.]com",
      "jsr[.]io",
      "deno[.]land[/]",
      "esm[.]sh",
      "unpkg[.]com",
      "jsdelivr[.]net",
      "pypi[.]org",
      "pythonhosted[.]org",
      "crates[.]io",
      "proxy[.]golang[.]org",
      "nexu[s]|artifactor[y]",
    ].join("|"),
    "i",
  );
  assert.equal(lines(hosts, () => true), []);
  assert.ok(hosts.test(["pypi", "org"].join(".")));
});

trackedTest("no path of one machine", () => {
  const home = /(?:^|[^\w.$}*~-])[/](?:work|root|home|Users|mnt)[/]\w/;
  assert.equal(lines(home, () => true), []);
  // An ipc endpoint in an example has to be somewhere.
  const temporary = /(?<!ipc:\/\/)[/]tmp[/]/;
  assert.equal(lines(temporary, (file) => !file.startsWith("test/")), []);
  assert.ok(home.test("see /" + "root/x"));
});

trackedTest("nothing that is built or installed", () => {
  assert.equal(
    tracked.filter((file) =>
      /^(?:dist|build|node_modules)\/|\.(?:wasm|o|tgz|tar\.gz)$/.test(file)
    ),
    [],
  );
});

trackedTest(
  "at the top lies what belongs there, and no file that a tool has left",
  () => {
    const top =
      ".ci .gitignore .npmrc CONTRIBUTING.md LICENSE README.md build.sh deno.json docs " +
      "examples package-lock.json package.json patches test ts tsconfig.json wasm";
    assert.equal(
      [...new Set(tracked.map((file) => file.split("/")[0]))].sort(),
      top.split(" "),
    );
  },
);

for (const args of [["lint"], ["fmt", "--check"]]) {
  test(`deno ${args.join(" ")}`, () => {
    const { status, stdout, stderr } = spawnSync(
      "node_modules/.bin/deno",
      args,
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(stdout + stderr);
  });
}

const patches = execFileSync("ls", ["patches"], { encoding: "utf8" })
  .split("\n").filter((name) => name.endsWith(".patch"));

for (const name of patches) {
  test(`${name} says why`, () => {
    const text = readFileSync(`patches/${name}`, "utf8");
    const [header] = text.split(/^--- /m) as [string];
    const [title, blank, ...reason] = header.trimEnd().split("\n");
    assert.match(name, /^\d{4}-[a-z0-9-]+\.patch$/);
    assert.match(title!, /^\S.{9,71}$/);
    assert.is(blank, "");
    const words = reason.join(" ").split(/\s+/).length;
    assert.ok(words >= 10, `${words} words are no reason`);
    // Those that mend faults say where libzmq stands with it.
    if (name >= "0010") assert.match(header, /^Upstream: /m);
  });
}

test("the patches for the host are small", () => {
  const host = patches.filter((name) => name < "0010");
  assert.ok(host.length > 0);
  let changed = 0;
  for (const name of host) {
    const text = readFileSync(`patches/${name}`, "utf8");
    changed += text.match(/^(?:\+(?!\+\+ )|-(?!-- ))/gm)!.length;
  }
  assert.ok(changed < HOST_PATCH_LINES, `${changed} lines`);
});

test.run();
