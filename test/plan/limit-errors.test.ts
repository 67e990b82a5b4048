import assert from "node:assert/strict";
import type { ResourceUsage } from "../../src/init/decode.js";
import type { Limit } from "../../src/permissions/permission-set.js";
import type { LimitedEnd } from "../../src/plan/limit-errors.js";
import { limitError } from "../../src/plan/limit-errors.js";
import { ErrorDomain, SandboxError } from "../../src/subprocess/glib-error.js";

const usage: ResourceUsage = {
  userMicroseconds: 0,
  systemMicroseconds: 0,
  maximumResidentKibibytes: 0,
  minorFaults: 0,
  majorFaults: 0,
  blocksIn: 0,
  blocksOut: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
  wallMicroseconds: 0,
};
const killed: LimitedEnd = { status: 9, timedOut: false, exceeded: null, isTmpfsFull: false, usage };

function exceeded(end: Partial<LimitedEnd>, limits: Partial<Record<Limit, number>> = {}): string | null {
  const map = new Map(Object.entries(limits) as [Limit, number][]);
  const error = limitError({ ...killed, ...end }, map);
  if (error === null) return null;
  const code = error.limit === "timeout" ? SandboxError.TIMED_OUT : SandboxError.LIMIT_EXCEEDED;
  assert.ok(error.matches(ErrorDomain.SANDBOX, code));
  return error.limit;
}

const SIGXCPU = 24;
const SIGXFSZ = 25;
const CORE = 0x80;
const FAILED = 1 << 8;

describe("the limit that ended a child", () => {
  it("is what init says", () => {
    assert.equal(exceeded({ exceeded: "memory" }, { memory: 1 }), "memory");
    assert.equal(exceeded({ exceeded: "processes" }, { processes: 1 }), "processes");
    assert.equal(exceeded({ timedOut: true }, { timeout: 1 }), "timeout");
    assert.equal(exceeded({ timedOut: true, exceeded: "memory" }, { memory: 1 }), "memory");
  });

  it("is the one of a signal, if there is such a limit", () => {
    for (const flag of [0, CORE]) {
      assert.equal(exceeded({ status: SIGXCPU | flag }, { "cpu-time": 1 }), "cpu-time");
      assert.equal(exceeded({ status: SIGXFSZ | flag }, { "file-size": 1 }), "file-size");
      assert.equal(exceeded({ status: SIGXCPU | flag }, { "file-size": 1 }), null);
      assert.equal(exceeded({ status: SIGXFSZ | flag }, { "cpu-time": 1 }), null);
    }
    for (let signal = 1; signal < 65; signal++) {
      if (signal !== SIGXCPU && signal !== SIGXFSZ) assert.equal(exceeded({ status: signal }, { "cpu-time": 1, "file-size": 1 }), null);
    }
  });

  it("is CPU time for who would not hear SIGXCPU, and for nobody who had not used it up", () => {
    const used = (userMicroseconds: number, systemMicroseconds: number): Partial<LimitedEnd> =>
      ({ usage: { ...usage, userMicroseconds, systemMicroseconds } });
    assert.equal(exceeded(used(1.5e6, 1.49e6), { "cpu-time": 2 }), "cpu-time");
    assert.equal(exceeded(used(1e6, 1e6), { "cpu-time": 2 }), null);
    assert.equal(exceeded(used(9e6, 9e6)), null);
    assert.equal(exceeded({ usage: null }, { "cpu-time": 2 }), null);
    assert.equal(exceeded({ status: FAILED, ...used(9e6, 9e6) }, { "cpu-time": 2 }), null);
  });

  it("is the size of a private directory for who failed when one was full", () => {
    assert.equal(exceeded({ status: FAILED, isTmpfsFull: true }, { tmpfs: 4096 }), "tmpfs");
    assert.equal(exceeded({ status: FAILED, isTmpfsFull: true }), "tmpfs");
    assert.equal(exceeded({ status: 7, isTmpfsFull: true }, { tmpfs: 4096 }), "tmpfs");
    assert.equal(exceeded({ status: 9, isTmpfsFull: true }, { tmpfs: 4096 }), null);
    assert.equal(exceeded({ status: FAILED }, { tmpfs: 4096 }), null);
  });

  it("is none for success, whatever else there was", () => {
    assert.equal(exceeded({ status: 0, isTmpfsFull: true, timedOut: true, exceeded: "memory" }, { memory: 1 }), null);
  });
});

describe("the error of a limit", () => {
  it("names the limit and its value, and carries the usage", () => {
    const error = limitError({ ...killed, exceeded: "memory" }, new Map([["memory", 4096]]));
    assert.match(error?.message ?? "", /“memory” of 4096 bytes/);
    assert.equal(error?.usage, usage);
    const timeout = limitError({ ...killed, timedOut: true }, new Map([["timeout", 250]]));
    assert.match(timeout?.message ?? "", /250 ms/);
    assert.equal(timeout?.usage, usage);
  });
});
