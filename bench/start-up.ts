/** The gio-sandbox command from its start to its end, beside the least that a program on its runtime could take for the same. */
import { execPath } from "node:process";
import { command, runCommand } from "./command.js";
import { rawBubblewrap } from "./launch.js";
import type { Measurement } from "./measure.js";
import { measure, timed } from "./measure.js";

export const COMMAND = "gio-sandbox run -- true";
export const LEAST = "node -e 0, then bwrap";
export const GJS_COMMAND = "gio-sandbox run -- true, on GJS";
export const GJS_LEAST = "gjs -c 0, then bwrap";

export async function startUp(rounds: number): Promise<Measurement> {
  const raw = await rawBubblewrap();
  const least = (runtime: readonly string[]): (() => Promise<void>) => async () => {
    await runCommand(runtime);
    await raw.run();
  };
  const contenders = [
    { name: LEAST, run: timed(least([execPath, "-e", "0"])) },
    command(COMMAND, ["bin/gio-sandbox", "run", "--", "true"]),
    { name: GJS_LEAST, run: timed(least(["gjs", "-c", "0"])) },
    // as bin/gio-sandbox starts it where tools/install was told so
    command(GJS_COMMAND, ["gjs", "-m", "dist/cli/gjs.js", "--", "run", "--", "true"]),
  ];
  return measure(contenders, rounds);
}
