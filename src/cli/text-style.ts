import type { TextRole, TextStyle } from "../plan/report-text.js";
import type { Shell } from "./shell.js";

/** Colours, where they are seen: on a terminal that has them, unless NO_COLOR (no-color.org) says that they are unwanted. */
export function styleFor({ environment, isTerminal }: Shell): TextStyle {
  const isWanted = isTerminal() && (environment["NO_COLOR"] ?? "") === "" && environment["TERM"] !== "dumb";
  return isWanted ? (role, text) => `\u001b[${codes[role]}m${text}\u001b[0m` : (_role, text) => text;
}

/** ECMA-48, “SELECT GRAPHIC RENDITION”. */
const codes: Readonly<Record<TextRole, string>> = {
  heading: "1",
  denied: "32",
  partly: "33",
  granted: "35",
  warning: "1;31",
  faint: "2",
};
