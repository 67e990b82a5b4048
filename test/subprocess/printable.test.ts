import assert from "node:assert/strict";
import { printable } from "../../src/subprocess/printable.js";

describe("foreign text in a message", () => {
  it("is shown as it is when it is plain", () => {
    assert.equal(printable("Größe 5 “x” 日本"), "Größe 5 “x” 日本");
  });

  it("cannot move the cursor, break the line or turn the direction of the text", () => {
    assert.equal(printable("a\u001b[2Jb\n\u007f\u009b\u2028\u202e\0"), "a\\u{1b}[2Jb\\u{a}\\u{7f}\\u{9b}\\u{2028}\\u{202e}\\u{0}");
  });

  it("cannot pass for an escape", () => {
    assert.equal(printable("\\u{1b}"), "\\\\u{1b}");
  });

  it("is cut when it is long, also amid a surrogate pair", () => {
    assert.equal(printable("x".repeat(10), 4), "xxxx…");
    assert.equal(printable("xxx😀", 4), "xxx\\u{d83d}…");
  });
});
