/** The gio-sandbox command on GJS: gjs -m gjs.js -- ARGUMENT… */
import { exit, programArgs } from "system";
import { runUntil } from "../gjs/event-loop.js";
import { gjsShell } from "./gjs-shell.js";
import { main } from "./main.js";

const words = programArgs[0] === "--" ? programArgs.slice(1) : programArgs;
runUntil(
  () => false,
  // in what the loop has called, GJS ends at once: elsewhere it would first collect all that there is
  () => void main(words, gjsShell()).then(exit),
);
