import { printable } from "../subprocess/printable.js";
import { check } from "./check.js";
import { ExitCode, exitCodeOfError } from "./exit-code.js";
import { explain } from "./explain.js";
import { helpText } from "./help.js";
import { run } from "./run.js";
import { parseRunOptions, UsageError } from "./run-options.js";
import type { Shell } from "./shell.js";

/**
 * The gio-sandbox command, whatever runs it.
 *
 * @param words what it is given, without its own name
 * @returns the exit code
 */
export async function main([command, ...words]: readonly string[], shell: Shell): Promise<number> {
  try {
    return await runCommand(command, words, shell);
  } catch (error) {
    shell.printError(errorText(error, command));
    return exitCodeOfError(error);
  }
}

async function runCommand(command: string | undefined, words: readonly string[], shell: Shell): Promise<number> {
  const say = (text: string): number => {
    shell.print(text);
    return ExitCode.SUCCESS;
  };
  switch (command) {
    case "run":
      return isHelpWanted(words) ? say(helpText("run")) : run(parseRunOptions(words, shell), shell);
    case "explain":
      return isHelpWanted(words) ? say(helpText("explain")) : explain(words, shell);
    case "check":
      return isHelpWanted(words) ? say(helpText("check")) : check(words, shell);
    case "--help":
    case "-h":
    case "help":
      return say(helpText(words[0]));
    case "--version":
      return say(`gio-sandbox ${shell.version()}\n`);
    case undefined:
      throw new UsageError("There is no command");
    default:
      throw new UsageError(`There is no command “${printable(command, 80)}”`);
  }
}

/** Only before the command: `gio-sandbox run -- ls --help` is for ls. */
function isHelpWanted(words: readonly string[]): boolean {
  return words[0] === "--help" || words[0] === "-h";
}

function errorText(error: unknown, command: string | undefined): string {
  const message = error instanceof Error ? error.message : String(error);
  const named = command === "explain" || command === "check" ? command : "run";
  const hint = error instanceof UsageError ? `. Try: gio-sandbox ${named} --help` : "";
  return `gio-sandbox: ${printable(message, 2000)}${hint}\n`;
}
