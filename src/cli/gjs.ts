/** The gio-sandbox command on GJS: gjs -m gjs.js -- ARGUMENT… */
import { exit, programArgs } from "system";
import { runUntil } from "../gjs/event-loop.js";
import { gjsShell } from "./gjs-shell.js";
import { main } from "./main.js";

const words = programArgs[0] === "--" ? programArgs.slice(1) : programArgs;
const codes: number[] = [];
runUntil(
  () => codes.length > 0,
  () => void main(words, gjsShell()).then((code) => codes.push(code)),
);
exit(codes[0] ?? 1);
