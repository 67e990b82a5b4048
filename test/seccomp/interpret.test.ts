import assert from "node:assert/strict";
import { ALLOW } from "../../src/seccomp/action.js";
import { interpreter } from "../../src/seccomp/interpret.js";
import type { Instruction } from "../../src/seccomp/program.js";
import { Code, decodeProgram, encodeProgram, worstSteps } from "../../src/seccomp/program.js";

const call = { number: 7, audit: 0xc000003e, arguments: [0x1122334455667788n, 0n, 0n, 0n, 0n, 0x99n] };

function instruction(code: number, value: number, yes = 0, no = 0): Instruction {
  return { code, yes, no, value };
}

function verdictOf(...program: Instruction[]): number {
  return interpreter(encodeProgram(program))(call).action;
}

describe("the interpreter of filters", () => {
  it("reads each word of a call where the kernel has it", () => {
    const words: readonly (readonly [offset: number, value: number])[] = [
      ...([
        [0, 7],
        [4, 0xc000003e],
        [8, 0],
        [12, 0],
        [16, 0x55667788],
        [20, 0x11223344],
        [56, 0x99],
        [60, 0],
      ] as const),
    ];
    for (const [offset, value] of words) {
      const program = [
        instruction(Code.LOAD, offset),
        instruction(Code.EQUAL, value, 0, 1),
        instruction(Code.RETURN, ALLOW),
      ];
      assert.equal(verdictOf(...program, instruction(Code.RETURN, 0)), ALLOW, `${offset}`);
    }
  });

  it("compares without signs", () => {
    const compare = (code: number, value: number): boolean => {
      const answers = [instruction(Code.RETURN, ALLOW), instruction(Code.RETURN, 0)];
      return verdictOf(instruction(Code.LOAD, 4), instruction(code, value, 0, 1), ...answers) === ALLOW;
    };
    assert.deepEqual(
      [0x7fffffff, 0xc000003d, 0xc000003e, 0xc000003f].map((value) => compare(Code.GREATER, value)),
      [true, true, false, false],
    );
    assert.deepEqual(
      [0x7fffffff, 0xc000003e, 0xc000003f].map((value) => compare(Code.GREATER_OR_EQUAL, value)),
      [true, true, false],
    );
    assert.deepEqual(
      [0x80000000, 0x40000000, 0x20000000].map((value) => compare(Code.ANY_BIT, value)),
      [true, true, false],
    );
  });

  it("jumps and masks, and counts its steps", () => {
    const program = [
      instruction(Code.LOAD, 4),
      instruction(Code.AND, 0xf0000000),
      instruction(Code.EQUAL, 0xc0000000, 1, 0),
      instruction(Code.RETURN, 0),
      instruction(Code.JUMP, 1),
      instruction(Code.RETURN, 1),
      instruction(Code.RETURN, ALLOW),
    ];
    assert.deepEqual(interpreter(encodeProgram(program))(call), { action: ALLOW, steps: 5 });
    assert.equal(worstSteps(program), 5);
    assert.deepEqual(decodeProgram(encodeProgram(program)), program);
  });

  it("takes no program that the kernel would not", () => {
    assert.throws(() => verdictOf(), RangeError);
    assert.throws(() => verdictOf(instruction(Code.LOAD, 0)), /behind its end/);
    assert.throws(() => verdictOf(instruction(Code.JUMP, 5), instruction(Code.RETURN, 0)), /behind its end/);
    assert.throws(() => verdictOf(instruction(Code.LOAD, 2), instruction(Code.RETURN, 0)), /offset/);
    assert.throws(() => verdictOf(instruction(Code.LOAD, 64), instruction(Code.RETURN, 0)), RangeError);
    assert.throws(() => verdictOf(instruction(0x16, 0)), /no filter has the code 0x16/);
    assert.throws(() => interpreter(new Uint8Array(7)), RangeError);
  });
});
