import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import {
  formatKeyFile,
  formatList,
  formatString,
  listValue,
  MAX_KEY_FILE_LENGTH,
  parseKeyFile,
  stringValue,
} from "../../src/permissions/key-file.js";
import { GLibError } from "../../src/subprocess/glib-error.js";
import { invalidMessage } from "./invalid.js";
import { Random } from "./random.js";

type Contents = readonly (readonly [group: string, entries: readonly unknown[]])[] | null;

function attempt<Result>(read: () => Result): Result | null {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof GLibError, String(error));
    return null;
  }
}

/** What we make of a key file, as the program that asks GLib tells it. */
function ours(text: string): Contents {
  const groups = attempt(() => parseKeyFile(text));
  if (groups === null) return null;
  return groups.map(({ name, entries }) => [
    name,
    entries.map(({ key, value }) => [key, attempt(() => stringValue(value)), attempt(() => listValue(value))]).sort(),
  ]);
}

function glibs(texts: readonly string[]): readonly Contents[] {
  const script = fileURLToPath(new URL("fixtures/read-key-files.js", import.meta.url));
  const options = { input: JSON.stringify(texts), encoding: "utf8", maxBuffer: 1 << 27 } as const;
  const { stdout, stderr, status } = spawnSync("gjs", ["-m", script], options);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Contents[];
}

const pieces = [
  ...["[", "]", "=", ";", "\\", "\n", "\r\n", "\r", " ", "\t", "\f", "\v", "#", "!", "a", "b", "ä", "界", "😀", "\u0001", "\u007f"],
  ...["[a]\n", "[b c]\n", "[a] \t\n", "a=", "\nb=", "k[de]=", "k[]=", "k[x y]=", "\\s", "\\n", "\\t", "\\r", "\\\\", "\\;", "\\x", ";;"],
  ...["Encoding=UTF-8\n", "Encoding=latin1\n", "x.*=1\n", " a = b \n", "\n# c\n"],
];

describe("a key file", () => {
  it("is read as GLib reads it, and refused where GLib refuses it: 20,000 random ones", function () {
    if (spawnSync("gjs", ["--version"]).error !== undefined && process.env["CI"] !== "true") this.skip();
    const random = new Random(1);
    const texts = Array.from({ length: 20_000 }, (_, index) => {
      const text = random.some(pieces, 12).join("");
      return index % 2 === 0 ? text : `[g]\nk=${text}`;
    });
    const expected = glibs(texts);
    texts.forEach((text, index) => assert.deepEqual(ours(text), expected[index], JSON.stringify(text)));
    assert.ok(expected.filter((contents) => contents !== null).length > 5000);
    assert.ok(expected.filter((contents) => contents === null).length > 2000);
  });

  it("is written so that GLib reads it back", function () {
    if (spawnSync("gjs", ["--version"]).error !== undefined && process.env["CI"] !== "true") this.skip();
    const random = new Random(2);
    const characters = ["\\", ";", " ", "\t", "\n", "\r", "=", "[", "]", "#", "a", "ä", "😀", "\u001b"];
    const values = Array.from({ length: 5000 }, () => random.some(characters, 8).join(""));
    const texts = values.map((value) => formatKeyFile([["g", [["k", formatString(value)], ["l", formatList([value, "x", value])]]]]));
    glibs(texts).forEach((contents, index) => {
      const value = values[index] ?? "";
      assert.deepEqual((contents?.[0]?.[1] as unknown[][])[0]?.[1], value);
      assert.deepEqual((contents?.[0]?.[1] as unknown[][])[1]?.[2], [value, "x", value]);
      assert.deepEqual(ours(texts[index] ?? ""), contents);
    });
  });

  it("may begin with a byte order mark, and have the line ends of another system", () => {
    assert.deepEqual(parseKeyFile("\ufeff[a]\r\nb=c\r\n"), [{ name: "a", line: 1, entries: [{ key: "b", value: "c", line: 2 }] }]);
  });

  it("has one of each group and key, the last one of a key, with the line that it is on", () => {
    assert.deepEqual(parseKeyFile("[a]\nk=1\nl=2\n[b]\n\n# c\n[a]\nk=3\nk[de]=4\n"), [
      {
        name: "a",
        line: 1,
        entries: [
          { key: "l", value: "2", line: 3 },
          { key: "k", value: "3", line: 8 },
          { key: "k[de]", value: "4", line: 9 },
        ],
      },
      { name: "b", line: 4, entries: [] },
    ]);
  });

  it("that is none is an error that names the line", () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["a=b", /^Line 1: a key stands before the first \[group\]$/],
      ["[a]\n\nfoo", /^Line 3: “foo” is no key=value, \[group\] or # comment$/],
      ["[a]\n=b", /^Line 2: “=b” is no key=value/],
      ["[]", /^Line 1: “” is no name of a group$/],
      ["[a\u001b]", /^Line 1: “a\\u\{1b\}” is no name of a group$/],
      ["[a]\nb[=c", /^Line 2: “b\[” is no name of a key$/],
      ["[a]\nk=\0", /^Line 2: the value of “k” contains a NUL$/],
      ["[a]\nEncoding=latin1", /^Line 2: the encoding “latin1” is not UTF-8$/],
    ];
    for (const [text, pattern] of wrong) assert.match(invalidMessage(() => parseKeyFile(text)), pattern);
    assert.match(invalidMessage(() => stringValue("\\q")), /“\\q” is no escape/);
    assert.match(invalidMessage(() => stringValue("a\\")), /a backslash stands at the end/);
    assert.match(invalidMessage(() => listValue("a;b\\")), /a backslash stands at the end/);
    assert.match(invalidMessage(() => formatString("\fx")), /form feed/);
  });

  it("is bounded", () => {
    assert.equal(parseKeyFile(`[a]\nb=${"x".repeat(MAX_KEY_FILE_LENGTH - 6)}`).length, 1);
    assert.match(invalidMessage(() => parseKeyFile(" ".repeat(MAX_KEY_FILE_LENGTH + 1))), /at most 262144/);
  });

  it("takes no more than linear time, whatever is in it", () => {
    const start = performance.now();
    for (const piece of [" ", "\t", "\\", ";", "=", "[", "]", "a ", "\n", "#", "[a]\n", "\\;"]) {
      const text = `[a]\nk=${piece.repeat((MAX_KEY_FILE_LENGTH - 8) / piece.length)}x`;
      ours(text);
      attempt(() => parseKeyFile(piece.repeat(MAX_KEY_FILE_LENGTH / piece.length)));
      formatString(`x${piece.repeat(MAX_KEY_FILE_LENGTH / piece.length)}x`);
    }
    assert.ok(performance.now() - start < 5000);
  });
});
