import assert from "node:assert/strict";
import { env } from "node:process";

/** Skips a test that the machine lacks something for, and says what; with CI=true that is a failure. */
export function skipWithout(test: Mocha.Context, missing: readonly string[]): void {
  if (missing.length === 0) return;
  const reason = `not installed: ${missing.join(", ")}`;
  assert.notEqual(env["CI"], "true", reason);
  console.log(`      skipped, ${reason}`);
  test.skip();
}
