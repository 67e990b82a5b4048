/** The gio-sandbox command on GJS. */
import { exit, programArgs } from "system";
import { runUntil } from "../gjs/event-loop.js";
import { gjsShell } from "./gjs-shell.js";
import { main } from "./main.js";

const codes: number[] = [];
runUntil(
  () => codes.length > 0,
  () => void main(programArgs, gjsShell()).then((code) => codes.push(code)),
);
exit(codes[0] ?? 1);
