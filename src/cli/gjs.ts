/** The gio-sandbox command on GJS: gjs -m gjs.js -- ARGUMENT… */
import { exit, programArgs } from "system";
import { runForever } from "../gjs/event-loop.js";
import { ExitCode } from "./exit-code.js";
import { gjsShell } from "./gjs-shell.js";
import { main } from "./main.js";

const words = programArgs[0] === "--" ? programArgs.slice(1) : programArgs;

/** Of an installation that is not whole, say. */
function fail(error: unknown): void {
  printerr(`gio-sandbox: ${error instanceof Error ? error.message : String(error)}`);
  exit(ExitCode.SANDBOX_FAILED);
}

// in what the loop has called, GJS ends at once: elsewhere it would first collect all that there is
void main(words, gjsShell()).then(exit, fail);
runForever();
