import assert from "node:assert/strict";
import { keyFileList, keyFileString, parseKeyFile } from "../../src/confinement/key-file.js";

function parsed(text: string): Exclude<ReturnType<typeof parseKeyFile>, null> {
  const file = parseKeyFile(text);
  assert.ok(file !== null);
  return file;
}

describe("a key file", () => {
  it("has groups of keys with values, between comments and empty lines", () => {
    const file = parsed("# a comment\n\n[One]\nkey=value\nother = spaced out \n[Two]\nkey=another\n");
    assert.equal(keyFileString(file, "One", "key"), "value");
    assert.equal(keyFileString(file, "One", "other"), "spaced out");
    assert.equal(keyFileString(file, "Two", "key"), "another");
  });

  it("keeps what comes behind the first equals sign", () => {
    assert.equal(keyFileString(parsed("[G]\nextra-args=--env=A=B"), "G", "extra-args"), "--env=A=B");
  });

  it("has nothing under a name that is not there", () => {
    const file = parsed("[G]\nkey=value");
    assert.equal(keyFileString(file, "G", "missing"), null);
    assert.equal(keyFileString(file, "Missing", "key"), null);
    assert.deepEqual(keyFileList(file, "G", "missing"), []);
  });

  it("joins a group that comes twice, and takes the last of equal keys", () => {
    const file = parsed("[G]\na=1\nb=2\n[H]\n[G]\na=3");
    assert.equal(keyFileString(file, "G", "a"), "3");
    assert.equal(keyFileString(file, "G", "b"), "2");
  });

  it("has lists with semicolons, the last of which may be missing", () => {
    const file = parsed("[G]\na=one;two;\nb=one;two\nc=\nd=;;one;;");
    assert.deepEqual(keyFileList(file, "G", "a"), ["one", "two"]);
    assert.deepEqual(keyFileList(file, "G", "b"), ["one", "two"]);
    assert.deepEqual(keyFileList(file, "G", "c"), []);
    assert.deepEqual(keyFileList(file, "G", "d"), ["one"]);
  });

  it("resolves escapes, in lists after they are split", () => {
    const file = parsed(String.raw`[G]${"\n"}a=\sx\ty\nz\\n${"\n"}b=one\;two;three\\;four`);
    assert.equal(keyFileString(file, "G", "a"), " x\ty\nz\\n");
    assert.deepEqual(keyFileList(file, "G", "b"), ["one;two", "three\\", "four"]);
  });

  for (const text of ["key=value", "[G]\nno equals sign", "[G]\n=value", "[G", "[G\u0001]\nkey=value"]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.equal(parseKeyFile(text), null);
    });
  }

  it("takes linear time for whatever stands in it", () => {
    const start = Date.now();
    parseKeyFile(`[G]\n${" ".repeat(200_000)}x\n`);
    keyFileList(parsed(`[G]\na=${"\\;".repeat(100_000)}`), "G", "a");
    assert.ok(Date.now() - start < 2000);
  });
});
