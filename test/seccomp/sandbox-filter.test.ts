import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Architecture } from "../../src/seccomp/architecture.js";
import { architectures, withSibling } from "../../src/seccomp/architecture.js";
import { compileRules } from "../../src/seccomp/compile-rules.js";
import { defaultRules } from "../../src/seccomp/default-rules.js";
import { sandboxFilter } from "../../src/seccomp/sandbox-filter.js";
import { sandboxProgramsModule } from "../../tools/sandbox-programs/module.js";

describe("the filter of every sandbox, which is compiled beforehand", () => {
  for (const architecture of Object.keys(architectures) as Architecture[]) {
    it(`is what the compiler makes of the default rules on ${architecture}`, () => {
      assert.deepEqual(sandboxFilter(architecture), compileRules(defaultRules(), withSibling(architecture)));
    });
  }

  it("is stored as its script writes it", () => {
    const stored = readFileSync(new URL("../../src/seccomp/sandbox-programs.ts", import.meta.url), "utf8");
    assert.equal(stored, sandboxProgramsModule());
  });

  it("is read once", () => {
    assert.equal(sandboxFilter("aarch64"), sandboxFilter("aarch64"));
  });
});
