import { reportText } from "../plan/report-text.js";
import type { SandboxReport } from "../plan/sandbox-report.js";
import { GLibError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { launcherFor } from "./run.js";
import { parseSandboxOptions } from "./run-options.js";
import type { Shell } from "./shell.js";
import { styleFor } from "./text-style.js";

/**
 * Prints what would hold for a command that is run with these options.
 *
 * @returns the exit code
 */
export function explain(words: readonly string[], shell: Shell): number {
  const { isJson, others } = takeJson(words);
  const launcher = launcherFor(parseSandboxOptions(others, shell), shell);
  try {
    const report = launcher.explain();
    shell.print(isJson ? `${JSON.stringify(report, null, 2)}\n` : reportText(report, styleFor(shell)));
    return isEnforced(report, shell) ? 0 : 1;
  } finally {
    launcher.close();
  }
}

/** `--json` may stand anywhere before the command. */
function takeJson(words: readonly string[]): { readonly isJson: boolean; readonly others: readonly string[] } {
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  const options = words.slice(0, end);
  return { isJson: options.includes("--json"), others: [...options.filter((word) => word !== "--json"), ...words.slice(end)] };
}

function isEnforced(report: SandboxReport, shell: Shell): boolean {
  try {
    report.checkRequired();
    return true;
  } catch (error) {
    if (!(error instanceof GLibError)) throw error;
    shell.printError(`gio-sandbox: ${printable(error.message, 2000)}\n`);
    return false;
  }
}
