import { SandboxSubprocessLauncher, SubprocessFlags } from "../src/node/index.js";
import type { Census } from "./census.js";
import { census, settled } from "./census.js";

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
