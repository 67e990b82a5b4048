import { readFileSync } from "node:fs";
import { argv, env, exit, stderr, stdout } from "node:process";
import { printable } from "../subprocess/printable.js";
import { check } from "./check.js";
import { ExitCode, exitCodeOfError } from "./exit-code.js";
import { explain } from "./explain.js";
import { checkHelp, explainHelp, mainHelp, runHelp } from "./help.js";
import { run } from "./run.js";
import { parseRunOptions, UsageError } from "./run-options.js";

/** The gio-sandbox command on Node. */
async function main(command: string | undefined, words: readonly string[]): Promise<number> {
  switch (command) {
    case "run":
      return isHelpWanted(words) ? say(runHelp) : run(parseRunOptions(words), inheritedDescriptors());
    case "explain":
      return isHelpWanted(words) ? say(explainHelp) : explain(words, inheritedDescriptors());
    case "check":
      return isHelpWanted(words) ? say(checkHelp) : check(words);
    case "--help":
    case "-h":
    case "help":
      return say(helpOf(words[0]));
    case "--version":
      return say(`gio-sandbox ${version()}\n`);
    case undefined:
      throw new UsageError("There is no command");
    default:
      throw new UsageError(`There is no command “${printable(command, 80)}”`);
  }
}

function helpOf(command: string | undefined): string {
  return new Map([
    ["run", runHelp],
    ["explain", explainHelp],
    ["check", checkHelp],
  ]).get(command ?? "") ?? mainHelp;
}

function say(text: string): number {
  stdout.write(text);
  return ExitCode.SUCCESS;
}

/** Only before the command: `gio-sandbox run -- ls --help` is for ls. */
function isHelpWanted(words: readonly string[]): boolean {
  return words[0] === "--help" || words[0] === "-h";
}

/** What bin/gio-sandbox saw before Node began; null if it was not asked. */
function inheritedDescriptors(): ReadonlySet<number> | null {
  const list = env["GIO_SANDBOX_INHERITED_FDS"];
  return list === undefined ? null : new Set(list.split(" ").filter((word) => word !== "").map(Number));
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}

function errorText(error: unknown, command: string | undefined): string {
  const message = error instanceof Error ? error.message : String(error);
  const named = command === "explain" || command === "check" ? command : "run";
  const hint = error instanceof UsageError ? `. Try: gio-sandbox ${named} --help` : "";
  return `gio-sandbox: ${printable(message, 2000)}${hint}\n`;
}

try {
  exit(await main(argv[2], argv.slice(3)));
} catch (error) {
  stderr.write(errorText(error, argv[2]));
  exit(exitCodeOfError(error));
}
