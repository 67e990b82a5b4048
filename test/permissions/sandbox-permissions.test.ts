import assert from "node:assert/strict";
import type { Limit, Share } from "../../src/permissions/permission-set.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";

function isInvalid(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof GLibError &&
    error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION) &&
    pattern.test(error.message);
}

describe("permissions", () => {
  it("begin with nothing", () => {
    const { shared, filesystems, filesystemDescriptors, limits } = new SandboxPermissions().snapshot();
    assert.equal(shared.size + filesystems.length + filesystemDescriptors.length + limits.size, 0);
  });

  it("grant a path to read and write, or to read; the last word on a path counts", () => {
    const permissions = new SandboxPermissions()
      .addFilesystem("/a")
      .addFilesystem("/b:ro")
      .addFilesystem("//c/./d/:rw")
      .addFilesystem("/a:ro");
    assert.deepEqual(permissions.snapshot().filesystems, [
      { path: "/a", mode: "ro" },
      { path: "/b", mode: "ro" },
      { path: "/c/d", mode: "rw" },
    ]);
  });

  it("take a colon in a path that is no mode", () => {
    assert.deepEqual(new SandboxPermissions().addFilesystem("/a:b").snapshot().filesystems, [{ path: "/a:b", mode: "rw" }]);
  });

  it("refuse paths that cannot be granted, and say why", () => {
    const refused: readonly [string, RegExp][] = [
      ["relative", /absolute/],
      ["", /absolute/],
      ["/a/../b", /“\.\.”/],
      ["/", /root/],
      ["/.", /root/],
      ["/proc", /\/proc of its own/],
      ["/sys/kernel:ro", /\/sys of its own/],
      ["/dev/null", /\/dev of its own/],
      ["/a\0b", /NUL/],
    ];
    for (const [path, pattern] of refused) {
      assert.throws(() => new SandboxPermissions().addFilesystem(path), isInvalid(pattern), path);
    }
    assert.throws(() => new SandboxPermissions().addFilesystemFd(3, "ro", "/proc/x"), isInvalid(/\/proc/));
    assert.throws(() => new SandboxPermissions().addFilesystemFd(-1, "ro"), TypeError);
  });

  it("refuse words that they do not have", () => {
    assert.throws(() => new SandboxPermissions().share("everything" as Share), isInvalid(/network or ipc.*everything/));
    assert.throws(() => new SandboxPermissions().setLimit("pain" as Limit, 1), isInvalid(/memory.*pain/));
    assert.throws(() => new SandboxPermissions().setLimit("memory", -1), isInvalid(/whole number/));
  });

  it("cannot be changed once they are frozen, but copied", () => {
    const permissions = new SandboxPermissions().share("network").addFilesystem("/a").setLimit("core", 0).freeze();
    assert.equal(permissions.isFrozen, true);
    assert.throws(() => permissions.share("ipc"), TypeError);
    assert.throws(() => permissions.addFilesystem("/b"), TypeError);
    assert.throws(() => permissions.addFilesystemFd(1, "ro"), TypeError);
    assert.throws(() => permissions.setLimit("core", 1), TypeError);
    const copy = permissions.copy();
    assert.deepEqual(copy.snapshot(), permissions.snapshot());
    copy.addFilesystem("/b");
    assert.equal(permissions.snapshot().filesystems.length, 1);
  });
});
