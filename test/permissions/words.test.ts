import assert from "node:assert/strict";
import { checkBusName, covers } from "../../src/permissions/bus-name.js";
import { filesystemPath, parseFilesystem } from "../../src/permissions/filesystem.js";
import { checkLimit, formatLimit, parseLimit } from "../../src/permissions/limit-value.js";
import { formatSyscallFilter, parseSyscallFilter } from "../../src/permissions/syscall-filter.js";
import { limits } from "../../src/permissions/vocabulary.js";
import { invalidMessage } from "./invalid.js";
import { Random } from "./random.js";

describe("the name of a file system", () => {
  it("is a path, or one of Flatpak's words, in one form", () => {
    const forms: Readonly<Record<string, string>> = {
      "/a": "/a",
      "//a/./b/": "/a/b",
      "~": "home",
      "~/": "home",
      home: "home",
      "home/": "home",
      "~/a//b/.": "~/a/b",
      "home/a": "~/a",
      host: "host",
      "host-os": "host-os",
      "host-etc": "host-etc",
      "host-fonts": "host-fonts",
      "xdg-run/pipewire-0": "xdg-run/pipewire-0",
      "xdg-config/": "xdg-config",
    };
    for (const [name, path] of Object.entries(forms)) assert.equal(filesystemPath(name), path);
    for (const word of [
      ...["xdg-desktop", "xdg-documents", "xdg-download", "xdg-music", "xdg-pictures", "xdg-public-share", "xdg-templates"],
      ...["xdg-videos", "xdg-data", "xdg-config", "xdg-cache"],
    ]) {
      assert.equal(filesystemPath(word), word);
      assert.equal(filesystemPath(`${word}/a//b`), `${word}/a/b`);
    }
  });

  it("is refused if it is none, with the reason", () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ["", /Expected an absolute path.*got “”/],
      ["relative", /Expected an absolute path.*xdg-pictures.*got “relative”/],
      ["a/b", /Expected an absolute path/],
      ["xdg-foo", /Expected an absolute path/],
      ["~user", /Expected an absolute path/],
      ["~user/x", /Expected an absolute path/],
      ["homes", /Expected an absolute path/],
      ["host/x", /Nothing can stand behind “host”/],
      ["host-os/usr", /Nothing can stand behind “host-os”/],
      ["host-etc/", /Nothing can stand behind “host-etc”/],
      ["host-fonts/x", /Nothing can stand behind “host-fonts”/],
      ["host:reset", /Expected an absolute path/],
      ["xdg-run", /xdg-run cannot be granted as a whole/],
      ["xdg-run/", /xdg-run cannot be granted as a whole/],
      ["~/../x", /“\.\.”/],
      ["xdg-data/a/../", /“\.\.”/],
      ["xdg-data/..", /“\.\.”/],
      ["~/a\0b", /NUL/],
      ["~/a\ud800", /surrogate/],
      ["/a\udc00b", /surrogate/],
      ["/proc/self", /\/proc of its own/],
    ];
    for (const [name, pattern] of refused) assert.match(invalidMessage(() => filesystemPath(name)), pattern, name);
  });

  it("has a mode behind the last colon, if that is one", () => {
    const parsed = (text: string): string => {
      const { path, mode, isOptional } = parseFilesystem(text);
      return `${path} ${mode}${isOptional ? " try" : ""}`;
    };
    assert.equal(parsed("/a"), "/a rw");
    assert.equal(parsed("/a:rw"), "/a rw");
    assert.equal(parsed("/a:ro"), "/a ro");
    assert.equal(parsed("~/a:create"), "~/a create");
    assert.equal(parsed("xdg-music:ro-try"), "xdg-music ro try");
    assert.equal(parsed("/a:rw-try"), "/a rw try");
    assert.equal(parsed("/a:create-try"), "/a:create-try rw");
    assert.equal(parsed("/a:b"), "/a:b rw");
    assert.equal(parsed("/a:ro:ro"), "/a:ro ro");
    assert.equal(parsed("/a\\:ro"), "/a\\ ro");
    assert.equal(parsed("host-fonts"), "host-fonts ro");
    assert.equal(parsed("host-fonts:ro-try"), "host-fonts ro try");
    assert.match(invalidMessage(() => parseFilesystem("host-fonts:rw")), /can only be read/);
    assert.match(invalidMessage(() => parseFilesystem("host-fonts:create")), /can only be read/);
    assert.match(invalidMessage(() => parseFilesystem(":ro")), /Expected an absolute path/);
  });
});

describe("a name on a bus", () => {
  it("is well-known, and may stand for all below it", () => {
    for (const name of ["a.b", "org.freedesktop.Foo", "org.x-y.Z_1", "a.b.*", "-a._b", `a.${"b".repeat(253)}`]) checkBusName(name);
  });

  it("is refused if it is none", () => {
    for (const name of [
      ...["", "a", "a.*", ".*", "*", "a..b", ".a.b", "a.b.", "a.1b", ":1.5", "a.b*", "a.*.b", "a.b.*.*", "a b.c", "a.ä", "a.b\n"],
      ...["a.b=talk", `a.${"b".repeat(254)}`],
    ]) {
      assert.match(invalidMessage(() => checkBusName(name)), /Expected a name on the bus/, name);
    }
  });

  it("covers what xdg-dbus-proxy takes it to cover", () => {
    assert.ok(covers("a.b.*", "a.b"));
    assert.ok(covers("a.b.*", "a.b.c"));
    assert.ok(covers("a.b.*", "a.b.c.d.*"));
    assert.ok(covers("a.b.*", "a.b.*"));
    assert.ok(covers("a.b", "a.b"));
    assert.ok(!covers("a.b.*", "a.bc"));
    assert.ok(!covers("a.b.*", "a.bc.*"));
    assert.ok(!covers("a.b.c.*", "a.b.*"));
    assert.ok(!covers("a.b", "a.b.c"));
    assert.ok(!covers("a.b", "a.b.*"));
  });
});

describe("a limit", () => {
  it("is written with units", () => {
    assert.equal(parseLimit("memory", "512M"), 512 * 1024 ** 2);
    assert.equal(parseLimit("address-space", "2T"), 2 * 1024 ** 4);
    assert.equal(parseLimit("file-size", "1G"), 1024 ** 3);
    assert.equal(parseLimit("tmpfs", "4K"), 4096);
    assert.equal(parseLimit("core", "0"), 0);
    assert.equal(parseLimit("file-size", "17"), 17);
    assert.equal(parseLimit("cpu-time", "10s"), 10);
    assert.equal(parseLimit("cpu-time", "10"), 10);
    assert.equal(parseLimit("cpu-time", "2m"), 120);
    assert.equal(parseLimit("cpu-time", "1h"), 3600);
    assert.equal(parseLimit("timeout", "30s"), 30_000);
    assert.equal(parseLimit("timeout", "30"), 30_000);
    assert.equal(parseLimit("timeout", "1500ms"), 1500);
    assert.equal(parseLimit("timeout", "2m"), 120_000);
    assert.equal(parseLimit("timeout", "1h"), 3_600_000);
    assert.equal(parseLimit("open-files", "64"), 64);
    assert.equal(parseLimit("processes", "1"), 1);
  });

  it("is refused with words that show what is meant", () => {
    const refused: readonly (readonly [Parameters<typeof parseLimit>[0], string, RegExp])[] = [
      ["memory", "", /a size such as 512M.*“memory”.*got “”/],
      ["memory", "lots", /a size such as 512M/],
      ["memory", "1.5G", /a size such as 512M/],
      ["memory", "512m", /a size such as 512M/],
      ["memory", "512MB", /a size such as 512M/],
      ["memory", " 1", /a size such as 512M/],
      ["memory", "-1", /a size such as 512M/],
      ["memory", "0x10", /a size such as 512M/],
      ["memory", "0", /at least 1.*got 0/],
      ["memory", "9007199254740992", /a whole number.*9007199254740992/],
      ["memory", "9999999999T", /a whole number/],
      ["memory", "99999999999999999", /a size such as 512M/],
      ["tmpfs", "0", /at least 1/],
      ["cpu-time", "1500ms", /whole seconds such as 10s/],
      ["cpu-time", "10K", /whole seconds such as 10s/],
      ["cpu-time", "0s", /at least 1/],
      ["timeout", "soon", /a time such as 30s/],
      ["timeout", "0", /at least 1/],
      ["open-files", "1K", /Expected a number as the limit “open-files”, but got “1K”/],
      ["open-files", "0", /at least 1/],
      ["processes", "1s", /Expected a number/],
      ["core", "\u001b", /\\u\{1b\}/],
    ];
    for (const [limit, text, pattern] of refused) assert.match(invalidMessage(() => parseLimit(limit, text)), pattern, text);
    for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) invalidMessage(() => checkLimit("core", value));
  });

  it("is read back from what is written for it", () => {
    const random = new Random(3);
    const values = [1, 1023, 1024, 1025, 60, 3600, 999, 1000, 60_000, 3_600_000, Number.MAX_SAFE_INTEGER, 1024 ** 5];
    for (const limit of limits) {
      for (const value of [...values, ...Array.from({ length: 500 }, () => 1 + random.below(2 ** 31))]) {
        assert.equal(parseLimit(limit, formatLimit(limit, value)), value, formatLimit(limit, value));
      }
    }
    assert.equal(formatLimit("core", 0), "0");
    assert.equal(formatLimit("memory", 3 * 1024 ** 3), "3G");
    assert.equal(formatLimit("timeout", 1), "1ms");
    assert.equal(formatLimit("cpu-time", 90), "90s");
  });
});

describe("a filter of system calls", () => {
  it("is what may be called, or with “~” what may not", () => {
    assert.deepEqual(parseSyscallFilter([], "EPERM"), { kind: "default" });
    assert.deepEqual(parseSyscallFilter(["@system-service", "ptrace:ENOSYS"], "EPERM"), {
      kind: "allow",
      entries: [
        { name: "@system-service", errno: null },
        { name: "ptrace", errno: "ENOSYS" },
      ],
      errno: "EPERM",
    });
    assert.deepEqual(parseSyscallFilter(["~@clock", "_llseek"], "EACCES"), {
      kind: "block",
      entries: [
        { name: "@clock", errno: null },
        { name: "_llseek", errno: null },
      ],
      errno: "EACCES",
    });
    assert.deepEqual(parseSyscallFilter(["a:EOPNOTSUPP"], "EWOULDBLOCK"), {
      kind: "allow",
      entries: [{ name: "a", errno: "ENOTSUP" }],
      errno: "EAGAIN",
    });
  });

  it("is written as it is read", () => {
    for (const filter of [["a"], ["~a"], ["~@b:EPERM", "c:ENOSYS", "@d"], []]) {
      assert.deepEqual(formatSyscallFilter(parseSyscallFilter(filter, "EPERM")), filter);
    }
  });

  it("is refused if it has what is none", () => {
    for (const entry of ["", "~", "@", "A", "a b", "a:", "a:b:c", "a:1", "a:eperm", "~~a", "a;b", "ä", "a".repeat(65)]) {
      invalidMessage(() => parseSyscallFilter([entry], "EPERM"));
    }
    assert.match(invalidMessage(() => parseSyscallFilter(["a", "~b"], "EPERM")), /“~b”: “~” stands before the first entry/);
    for (const errno of ["", "EFOO", "1", "constructor", "__proto__", "kill"]) {
      assert.match(invalidMessage(() => parseSyscallFilter(["a"], errno)), /Expected an error such as EPERM/);
      invalidMessage(() => parseSyscallFilter([`a:${errno}`], "EPERM"));
    }
  });
});
