import assert from "node:assert/strict";
import { exitStatus, ifExited, ifSignaled, isSuccess, termSignal, waitStatusError } from "../../src/subprocess/wait-status.js";
import { ErrorDomain, SpawnError } from "../../src/subprocess/glib-error.js";

describe("a raw wait status", () => {
  it("tells exit 137 from SIGKILL", () => {
    assert.ok(ifExited(137 << 8) && !ifSignaled(137 << 8));
    assert.equal(exitStatus(137 << 8), 137);
    assert.ok(ifSignaled(9) && !ifExited(9));
    assert.equal(termSignal(9), 9);
  });

  it("is a success only for exit 0", () => {
    assert.equal(waitStatusError(0), null);
    for (let code = 1; code < 256; code++) {
      assert.equal(isSuccess(code << 8), false);
      const error = waitStatusError(code << 8);
      assert.ok(error?.matches(ErrorDomain.SPAWN_EXIT, code));
      assert.equal(error?.message, `Child process exited with code ${code}`);
    }
  });

  it("names the signal that ended the process, core dump or not", () => {
    for (const status of [15, 15 | 0x80]) {
      const error = waitStatusError(status);
      assert.ok(error?.matches(ErrorDomain.SPAWN, SpawnError.FAILED));
      assert.equal(error?.message, "Child process killed by signal 15");
    }
  });
});
