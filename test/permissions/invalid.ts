import assert from "node:assert/strict";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";

/** The message of the INVALID_PERMISSION that an action ends in. */
export function invalidMessage(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof GLibError, String(error));
    assert.ok(error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION), error.message);
    return error.message;
  }
  assert.fail("nothing was thrown");
}
