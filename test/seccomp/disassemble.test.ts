import assert from "node:assert/strict";
import { ALLOW, refuse } from "../../src/seccomp/action.js";
import { compileRules } from "../../src/seccomp/compile-rules.js";
import { disassemble } from "../../src/seccomp/disassemble.js";
import { Code, encodeProgram } from "../../src/seccomp/program.js";

describe("a filter in words", () => {
  it("says what each instruction does, with the names of architectures and calls", () => {
    const { bytes } = compileRules(
      {
        rules: [
          { name: "ioctl", tests: [{ argument: 1, comparison: "equal", value: 0x5412n }], action: refuse("EPERM") },
          { name: "mount", tests: [], action: refuse("ENOSYS") },
        ],
        otherwise: ALLOW,
      },
      ["aarch64"],
    );
    assert.equal(
      disassemble(bytes),
      [
        " 0  take the architecture",
        " 1  if = aarch64 go on, else go to 14",
        " 2  take the number",
        " 3  if ≥ 30 (ioprio_set) go on, else go to 7",
        " 4  if ≥ 40 (mount) go on, else go to 13",
        " 5  if ≥ 41 (pivot_root) go to 13, else go on",
        " 6  ENOSYS",
        " 7  if ≥ 29 (ioctl) go on, else go to 13",
        " 8  take the high word of argument 1",
        " 9  if = 0x0 go on, else go to 13",
        "10  take the low word of argument 1",
        "11  if = 0x5412 go on, else go to 13",
        "12  EPERM",
        "13  allow",
        "14  kill process",
        "",
      ].join("\n"),
    );
  });

  it("has words for what our compiler does not write, too", () => {
    const jump = { yes: 0, no: 0 };
    const program = [
      { code: Code.LOAD, ...jump, value: 8 },
      { code: Code.LOAD, ...jump, value: 36 },
      { code: Code.AND, ...jump, value: 0xf0 },
      { code: Code.GREATER, yes: 0, no: 1, value: 7 },
      { code: Code.ANY_BIT, yes: 1, no: 0, value: 0x10 },
      { code: Code.JUMP, ...jump, value: 1 },
      { code: Code.RETURN, ...jump, value: 0x80000000 },
      { code: Code.RETURN, ...jump, value: 0x00030007 },
      { code: 0x1234, ...jump, value: 1 },
    ];
    assert.equal(
      disassemble(encodeProgram(program)),
      [
        "0  take the low word of the instruction pointer",
        "1  take the high word of argument 2",
        "2  keep the bits 0xf0",
        "3  if > 0x7 go on, else go to 5",
        "4  if any bit of 0x10 go to 6, else go on",
        "5  go to 7",
        "6  kill process",
        "7  SIGSYS (7)",
        "8  unknown code 0x1234, 0x1",
        "",
      ].join("\n"),
    );
  });
});
