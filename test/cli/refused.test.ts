import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { command, describeOnEachRuntime } from "./commands.js";

/** A user namespace in which no more of them can be made, as on a system that does not let users make any. */
const refusing = ["--user", "--map-root-user", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"];

describeOnEachRuntime("gio-sandbox where the kernel refuses sandboxes", () => {
  const run = (...args: readonly string[]): readonly [number | null, string] => {
    const { status, stderr } = spawnSync("unshare", [...refusing, "dbus-run-session", "--", command(), "run", ...args], { encoding: "utf8" });
    return [status, stderr];
  };

  it("says so at the first launch, and what would help", () => {
    const [status, stderr] = run("--", "true");
    assert.equal(status, 125);
    assert.match(stderr, /^gio-sandbox: No sandbox is available\. Bubblewrap: the kernel .* create namespaces\. Set the sysctls/m);
  });

  it("says the same if it was a bus proxy that needed one first", () => {
    const [status, stderr] = run("--talk-name=org.example.Name", "--", "true");
    assert.equal(status, 125);
    assert.match(stderr, /^gio-sandbox: No sandbox is available\. Bubblewrap: /m);
  });
});
