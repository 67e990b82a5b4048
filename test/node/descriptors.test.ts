import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SubprocessFlags } from "../../src/node/index.js";
import { fixtureLauncher, openDescriptors } from "./gsubprocess/children.js";

const listing = fileURLToPath(new URL("fixtures/list-child-descriptors.ts", import.meta.url));

/** Runs the fixture in a shell that was given descriptors without FD_CLOEXEC, as a careless parent leaves them. */
function childOfParentWith(redirections: string): Promise<string> {
  // what the runner of the tests itself inherited is not looked at: it is closed first
  const command = `for fd in /proc/$$/fd/*; do fd=\${fd##*/}; [ $fd -le 2 ] || eval "exec $fd>&-"; done; exec ${redirections}; exec "$0" --import tsx "$1"`;
  const parent = spawn("bash", ["-c", command, process.execPath, listing], { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    let output = "";
    parent.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    parent.on("error", reject);
    parent.on("close", () => resolve(output));
  });
}

describe("the descriptors of a child", () => {
  it("are 0 to 2 and its table, although its parent inherited others that are not close-on-exec", async () => {
    // Node sets FD_CLOEXEC on what it inherits only up to the first gap above 15
    const output = await childOfParentWith("3</etc/hostname 20</etc/hostname 40</etc/hostname 77</etc/hostname 250</etc/hostname");
    assert.deepEqual(JSON.parse(output), { parent: [20, 40, 77, 250], child: [0, 1, 2, 9, 300] });
  });

  it("are none of those that the program has open itself", async () => {
    const planted = Array.from({ length: 40 }, () => openSync("/etc/passwd", constants.O_RDONLY));
    try {
      const child = await fixtureLauncher(SubprocessFlags.STDOUT_PIPE).spawnvAsync(["ls", "/proc/self/fd"]);
      const [output] = await child.communicateUtf8Async(null);
      // the last one is the directory that ls reads
      assert.deepEqual(output?.trim().split("\n"), ["0", "1", "2", "3"]);
    } finally {
      planted.forEach((fd) => closeSync(fd));
    }
  });

  it("are not shown to it by the other processes of its sandbox", async () => {
    // root may list the numbers of init's, but neither see nor open what they are
    const script = [
      'for fd in /proc/1/fd/*; do readlink "$fd"; [ ! -e "$fd" ] || echo "$fd"; done',
      "ls /proc/1/cwd/ /proc/1/root/; cat /proc/1/environ",
      "for process in /proc/[0-9]*; do echo ${process#/proc/}; done",
    ].join("\n");
    const child = await fixtureLauncher(SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDERR_SILENCE).spawnvAsync(["sh", "-c", script]);
    const [output] = await child.communicateUtf8Async(null);
    assert.deepEqual(output?.trim().split("\n"), ["1", "2"]);
  });

  it("leave nothing open in the parent", async () => {
    const launcher = fixtureLauncher(SubprocessFlags.STDOUT_PIPE | SubprocessFlags.STDIN_PIPE | SubprocessFlags.STDERR_PIPE);
    {
      await using first = await launcher.spawnvAsync(["cat"]);
      await first.communicateUtf8Async("");
    }
    const before = openDescriptors().length;
    for (let i = 0; i < 5; i++) {
      await using child = await launcher.spawnvAsync(["cat"]);
      await child.communicateUtf8Async("x");
    }
    assert.equal(openDescriptors().length, before);
  });
});
