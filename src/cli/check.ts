import { existsSync } from "node:fs";
import { stdout } from "node:process";
import { probeBubblewrap } from "../node/bubblewrap.js";
import { SandboxSubprocessLauncher } from "../node/launcher.js";
import type { ChosenBackend } from "../plan/choose-backend.js";
import { Backend } from "../plan/choose-backend.js";
import type { TextStyle } from "../plan/report-text.js";
import { GLibError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { UsageError } from "./run-options.js";
import { standardStyle } from "./text-style.js";

/** What came of trying one backend. */
interface BackendCheck {
  readonly backend: ChosenBackend;
  readonly works: boolean;
  /** What was found, or why it does not work and what to do about it: whole sentences. */
  readonly details: string;
}

/**
 * Tries the backends, and prints what came of it.
 *
 * @returns the exit code
 */
export async function check(words: readonly string[]): Promise<number> {
  const [option, ...more] = words;
  if (more.length > 0 || (option !== undefined && option !== "--json")) {
    throw new UsageError(`“${printable(words.join(" "), 80)}” is no option of check`);
  }
  const checks = [await checkBubblewrap(), checkPortal(), checkLandlock()];
  const canSandbox = checks.some(({ works }) => works);
  const result = { canSandbox, backends: checks };
  stdout.write(option === "--json" ? `${JSON.stringify(result, null, 2)}\n` : checkText(checks, canSandbox, standardStyle()));
  return canSandbox ? 0 : 1;
}

/** bwrap is found and tried out, and then a program is run as any other is. */
async function checkBubblewrap(): Promise<BackendCheck> {
  const backend = Backend.BUBBLEWRAP;
  try {
    const { path, version } = await probeBubblewrap();
    using launcher = new SandboxSubprocessLauncher({ backend, timeout: PATIENCE });
    await using child = await launcher.spawnvAsync(["true"]);
    await child.waitCheckAsync();
    return { backend, works: true, details: `${path}, version ${version.join(".")}.` };
  } catch (error) {
    if (!(error instanceof GLibError)) throw error;
    return { backend, works: false, details: error.message };
  }
}

const PATIENCE = 30_000;

function checkPortal(): BackendCheck {
  const details = existsSync("/.flatpak-info")
    ? "This version does not know how to use it."
    : "This is no Flatpak: it is for programs that run in one.";
  return { backend: Backend.FLATPAK_PORTAL, works: false, details };
}

function checkLandlock(): BackendCheck {
  return { backend: Backend.LANDLOCK, works: false, details: "This version does not know how to use it." };
}

function checkText(checks: readonly BackendCheck[], canSandbox: boolean, style: TextStyle): string {
  const lines = checks.map(({ backend, works, details }) => {
    const mark = works ? style("denied", "works") : style("faint", "no   ");
    return `${style("heading", backend.padEnd(16))}${mark}  ${printable(details, 2000)}\n`;
  });
  const verdict = canSandbox
    ? "gio-sandbox can make sandboxes here.\n"
    : `${style("warning", "gio-sandbox can make no sandbox here.")} It runs nothing without one.\n`;
  return `${lines.join("")}\n${verdict}`;
}
