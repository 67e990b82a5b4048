import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Our module for GJS. */
export const builtModule = fileURLToPath(new URL("../../dist/gjs/gio-sandbox.js", import.meta.url));

/** Without it nothing of it can be tested, and that is a failure. */
export function requireBuiltModule(): void {
  assert.ok(existsSync(builtModule), `${builtModule} is missing: tools/build makes it`);
}
