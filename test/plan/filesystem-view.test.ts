import assert from "node:assert/strict";
import type { FilesystemEntry } from "../../src/plan/filesystem-view.js";
import { entryAt, filesystemView, isVisible, lookedUp } from "../../src/plan/filesystem-view.js";
import type { BubblewrapPlan } from "../../src/plan/launch-plan.js";
import { permissions, viewOf } from "./reports.js";

/** A plan that says these words to bwrap. */
function planWith(...words: readonly string[]): BubblewrapPlan {
  const bytes = new TextEncoder().encode(words.map((word) => `${word}\0`).join(""));
  return {
    program: "bwrap",
    argv: ["--args", "1", "--", "true"],
    descriptors: [{ kind: "granted", index: 0 }, { kind: "data", bytes }],
    frames: () => new Uint8Array(0),
  };
}

function shown(...words: readonly string[]): string[] {
  const mounts = [{ path: "/x", source: "/granted", writable: true, device: 1n, inode: 1n, descriptor: 0 }];
  return filesystemView(planWith(...words), mounts, new Set(["/socket"])).map(line);
}

function line({ path, kind, writable, source }: FilesystemEntry): string {
  return [path, kind, writable ? "rw" : "ro", ...(source === null ? [] : [source])].join(" ");
}

describe("the picture of a file system", () => {
  it("follows what bwrap is told, in its order", () => {
    assert.deepEqual(shown("--dir", "/a", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--tmpfs", "/t"), [
      ...["/ private rw", "/a directory rw", "/bin link ro usr/bin", "/t private rw", "/usr host ro /usr"],
    ]);
  });

  it("has nothing of what a later mount hides", () => {
    assert.deepEqual(shown("--tmpfs", "/a", "--ro-bind", "/x", "/a/b", "--tmpfs", "/a", "--ro-bind", "/y", "/ab"), [
      ...["/ private rw", "/a private rw", "/ab host ro /y"],
    ]);
  });

  it("takes a mount for read-only only itself, not what is mounted in it", () => {
    assert.deepEqual(shown("--dir", "/d", "--tmpfs", "/d/t", "--dir", "/d/t/x", "--dir", "/d/y", "--remount-ro", "/"), [
      ...["/ private ro", "/d directory ro", "/d/t private rw", "/d/t/x directory rw", "/d/y directory ro"],
    ]);
  });

  it("shows a granted path by its name, whichever way it is mounted", () => {
    assert.deepEqual(shown("--bind-fd", "0", "/x"), ["/ private rw", "/x host rw /granted"]);
    assert.deepEqual(shown("--ro-bind", "/proc/self/fd/0", "/x"), ["/ private rw", "/x host ro /granted"]);
  });

  it("shows a socket that is made for the sandbox as that, wherever it lies outside", () => {
    assert.deepEqual(shown("--ro-bind", "/proc/self/fd/0", "/socket"), ["/ private rw", "/socket socket ro"]);
  });

  it("has modes and sizes where they are set", () => {
    const [, entry] = filesystemView(planWith("--perms", "1777", "--size", "4096", "--tmpfs", "/t"), [], new Set());
    assert.deepEqual([entry?.mode, entry?.size], [0o1777, 4096]);
  });

  it("leaves out what the host does not have, if that is no error", () => {
    const view = filesystemView(planWith("--ro-bind-try", "/a", "/a", "--ro-bind-try", "/b", "/b", "--ro-bind", "/c", "/c"), [], new Set());
    const present = lookedUp(view, (source) => (source === "/a" ? "file" : null));
    assert.deepEqual(present.map(({ path, isDirectory }) => [path, isDirectory]), [
      ["/", null],
      ["/a", false],
      ["/c", false],
    ]);
  });

  it("is not made of options that nobody has told it of", () => {
    assert.throws(() => shown("--overlay-src", "/a"), /--overlay-src/);
  });

  it("is that of real plans: private directories, and nothing else to write to", () => {
    const view = viewOf(permissions().addFilesystem("/data:ro").addFilesystem("/out"));
    const writable = view.filter((entry) => entry.writable).map(({ path }) => path);
    assert.deepEqual(writable, ["/dev/shm", "/home/user", "/out", "/proc", "/run/user/1000", "/tmp"]);
    assert.ok(isVisible(view, "/usr/bin/env") && isVisible(view, "/data") && isVisible(view, "/var"));
    assert.ok(!isVisible(view, "/root") && !isVisible(view, "/etc/shadow") && !isVisible(view, "/tmp/x"));
    assert.equal(entryAt(view, "/data/x/y")?.path, "/data");
    assert.equal(entryAt(view, "/database")?.path, "/");
  });
});
