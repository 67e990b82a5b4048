import assert from "node:assert/strict";
import type { StreamOverrides } from "../../src/subprocess/flags.js";
import { checkDispositions, disposition, Stream, SubprocessFlags } from "../../src/subprocess/flags.js";

const nothing: StreamOverrides = { fd: null, path: null };
const untouched = { [Stream.STDIN]: nothing, [Stream.STDOUT]: nothing, [Stream.STDERR]: nothing };

describe("subprocess flags", () => {
  it("give GIO's defaults: no standard input, the parent's output and error", () => {
    assert.deepEqual(disposition(Stream.STDIN, 0, nothing), { kind: "null" });
    assert.deepEqual(disposition(Stream.STDOUT, 0, nothing), { kind: "inherit" });
    assert.deepEqual(disposition(Stream.STDERR, 0, nothing), { kind: "inherit" });
  });

  it("come before a descriptor, which comes before a path", () => {
    const both = { fd: 7, path: "/x" };
    assert.deepEqual(disposition(Stream.STDOUT, SubprocessFlags.STDOUT_PIPE, both), { kind: "pipe" });
    assert.deepEqual(disposition(Stream.STDOUT, 0, both), { kind: "fd", fd: 7 });
    assert.deepEqual(disposition(Stream.STDOUT, 0, { fd: null, path: "/x" }), { kind: "file", path: "/x" });
  });

  it("refuse two dispositions for one stream in GIO's words", () => {
    const flags = SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDOUT_SILENCE;
    assert.throws(() => checkDispositions(flags, untouched), {
      name: "TypeError",
      message:
        "You may specify at most one disposition for the stdout stream, but you specified: " +
        "SubprocessFlags.STDOUT_PIPE SubprocessFlags.STDOUT_SILENCE.",
    });
    assert.throws(
      () => checkDispositions(SubprocessFlags.STDIN_PIPE, { ...untouched, [Stream.STDIN]: { fd: 3, path: "/x" } }),
      /SubprocessFlags.STDIN_PIPE takeStdinFd\(\) setStdinFilePath\(\)/,
    );
    assert.doesNotThrow(() => checkDispositions(SubprocessFlags.STDERR_MERGE | SubprocessFlags.STDOUT_PIPE, untouched));
  });

  it("refuse a bit that is none of theirs", () => {
    assert.throws(() => checkDispositions(1 << 12, untouched), TypeError);
    assert.throws(() => checkDispositions(-1, untouched), TypeError);
  });
});
