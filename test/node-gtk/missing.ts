import { existsSync } from "node:fs";
import { env } from "node:process";
import { fileURLToPath } from "node:url";

/** A `before` hook: skips the tests if node-gtk is not there, with the reason. With CI=true they fail. */
export function requireNodeGtk(this: Mocha.Context): void {
  if (existsSync(fileURLToPath(new URL("../../build/node-gtk/stamp", import.meta.url)))) return;
  const reason = "node-gtk is not built: tools/build-node-gtk does that";
  if (env["CI"] === "true") throw new Error(reason);
  console.warn(`      skipped: ${reason}`);
  this.skip();
}
