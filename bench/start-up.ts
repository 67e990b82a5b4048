/** The gio-sandbox command from its start to its end, beside the least that a program on Node could take for the same. */
import { execPath } from "node:process";
import { command, runCommand } from "./command.js";
import { rawBubblewrap } from "./launch.js";
import type { Measurement } from "./measure.js";
import { measure, timed } from "./measure.js";

export const COMMAND = "gio-sandbox run -- true";
export const LEAST = "node -e 0, then bwrap";

export async function startUp(rounds: number): Promise<Measurement> {
  const raw = await rawBubblewrap();
  const least = async (): Promise<void> => {
    await runCommand([execPath, "-e", "0"]);
    await raw.run();
  };
  return measure([{ name: LEAST, run: timed(least) }, command(COMMAND, ["bin/gio-sandbox", "run", "--", "true"])], rounds);
}
