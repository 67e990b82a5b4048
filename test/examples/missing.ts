import { accessSync, constants } from "node:fs";
import { env } from "node:process";

/** A `before` hook: skips tests that need a display and a mouse where there can be none. With CI=true they fail. */
export function requireDisplay(this: Mocha.Context): void {
  const missing = ["Xvfb", "xdotool", "import", "gjs"].filter((name) => !isOnPath(name));
  if (missing.length === 0) return;
  const reason = `not installed: ${missing.join(", ")}`;
  if (env["CI"] === "true") throw new Error(reason);
  console.warn(`      skipped, ${reason}`);
  this.skip();
}

function isOnPath(name: string): boolean {
  return (env["PATH"] ?? "").split(":").some((directory) => {
    try {
      accessSync(`${directory}/${name}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
