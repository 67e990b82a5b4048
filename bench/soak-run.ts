import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { memoryUsage } from "node:process";
import { SandboxSubprocessLauncher, SubprocessFlags } from "../src/node/index.js";

/** What must not grow. */
export interface Census {
  readonly descriptors: number;
  /** Children of this process, zombies too. */
  readonly processes: number;
  /** Entries of the directories for temporary files. */
  readonly files: number;
  /** MiB resident. */
  readonly memory: number;
}

/**
 * Launches children one after another, with pipes, files of memory and a grandchild now and then.
 *
 * @param progress hears how many are done
 */
export async function soak(
  launches: number,
  progress: (done: number) => void,
): Promise<{ readonly before: Census; readonly after: Census }> {
  const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDIN_PIPE | SubprocessFlags.STDOUT_PIPE });
  const once = async (index: number): Promise<void> => {
    await using child = await launcher.spawnvAsync(index % 10 === 0 ? ["sh", "-c", "cat; sleep 100 &"] : ["cat"]);
    if (index % 10 === 0) {
      child.getStdinPipe()?.end();
      await child.waitAsync();
    } else {
      await child.communicateUtf8Async("x");
    }
  };
  const warmUp = Math.min(200, launches);
  for (let index = 0; index < warmUp; index++) await once(index);
  const before = await census();
  for (let index = 0; index < launches; index++) {
    await once(index);
    progress(index + 1);
  }
  return { before, after: await settled(before) };
}

/** What is there in the end: what is about to close has a while to do so. */
async function settled(before: Census): Promise<Census> {
  const last = performance.now() + PATIENCE;
  for (;;) {
    const after = await census();
    const hasGrown = after.descriptors > before.descriptors || after.processes > before.processes || after.files > before.files;
    if (!hasGrown || performance.now() > last) return after;
  }
}

/** Milliseconds. */
const PATIENCE = 5000;

async function census(): Promise<Census> {
  // what is closed is gone in the next turns of the loop
  await new Promise((resolve) => setTimeout(resolve, 200));
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    processes: readdirSync("/proc/self/task")
      .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "latin1").split(" "))
      .filter((pid) => pid !== "").length,
    files: [tmpdir(), "/dev/shm"].flatMap((directory) => readdirSync(directory)).filter((name) => name.includes("gio-sandbox"))
      .length,
    memory: Math.round(memoryUsage.rss() / 2 ** 20),
  };
}
