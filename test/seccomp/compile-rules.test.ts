import assert from "node:assert/strict";
import { ALLOW, KILL_PROCESS, refuse } from "../../src/seccomp/action.js";
import type { Architecture } from "../../src/seccomp/architecture.js";
import { architectures } from "../../src/seccomp/architecture.js";
import { compileRules } from "../../src/seccomp/compile-rules.js";
import { interpreter } from "../../src/seccomp/interpret.js";
import { MAX_INSTRUCTIONS } from "../../src/seccomp/program.js";
import type { ArgumentIndex, ArgumentTest, Rule, RuleList } from "../../src/seccomp/rules.js";
import { systemCalls } from "../../src/seccomp/system-calls.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";
import { edgeValues, pseudoRandom } from "./edge-values.js";

const all = Object.keys(architectures) as Architecture[];

/** What a filter made of the rules says to one call. */
function judge(
  list: RuleList,
  ...order: Architecture[]
): (architecture: Architecture, number: number, ...args: bigint[]) => number {
  const run = interpreter(compileRules(list, order).bytes);
  return (architecture, number, ...args) => {
    return run({ number, audit: architectures[architecture].audit, arguments: args }).action;
  };
}

function numberOf(name: string, architecture: Architecture): number {
  return systemCalls(architecture).get(name) ?? assert.fail(`${architecture} has no ${name}`);
}

const refusing = (name: string, ...tests: ArgumentTest[]): Rule => ({ name, tests, action: refuse("EPERM") });
const allowing = (name: string, ...tests: ArgumentTest[]): Rule => ({ name, tests, action: ALLOW });

describe("a compiled filter", () => {
  it("does to the calls that it names what it says, and nothing to others, on every architecture", () => {
    const names = ["mount", "ptrace", "socket", "write", "open_tree_attr"];
    for (const otherwise of [ALLOW, refuse("EACCES")]) {
      const verdict = judge({ rules: names.map((name) => refusing(name)), otherwise }, ...all);
      for (const architecture of all) {
        const refused = new Set(names.map((name) => numberOf(name, architecture)));
        // what is called through socketcall() is told apart below
        const isLeftOut = (number: number): boolean =>
          architecture === "i386" && number === numberOf("socketcall", "i386");
        for (let number = 0; number < 2000; number++) {
          if (isLeftOut(number)) continue;
          const expected = refused.has(number) ? refuse("EPERM") : otherwise;
          assert.equal(verdict(architecture, number), expected, `${architecture} ${number}`);
        }
      }
    }
  });

  it("kills processes of every architecture that it is not for", () => {
    const list = { rules: [refusing("mount")], otherwise: ALLOW };
    for (const one of all) {
      const verdict = judge(list, one);
      for (const other of all) {
        for (const number of [0, 165, 0x40000000, 0xffffffff]) {
          assert.equal(verdict(other, number) === KILL_PROCESS, other !== one, `${other} in a filter for ${one}`);
        }
      }
    }
    const run = interpreter(compileRules(list, all).bytes);
    // AUDIT_ARCH_S390X, AUDIT_ARCH_X86_64 without its flags, none
    for (const audit of [0x80000016, 0x3e, 0])
      assert.equal(run({ number: 0, audit, arguments: [] }).action, KILL_PROCESS);
  });

  it("refuses x32's numbers with ENOSYS, be the rules what they may, and lets −1 pass", () => {
    for (const otherwise of [ALLOW, refuse("EPERM")]) {
      const verdict = judge({ rules: [allowing("read"), refusing("mount")], otherwise }, ...all);
      for (const number of [0x40000000, 0x40000001, 0x40000000 + 165, 0x7fffffff, 0x80000000, 0xfffffffe]) {
        assert.equal(verdict("x86_64", number), refuse("ENOSYS"), number.toString(16));
        for (const other of all.filter((architecture) => architecture !== "x86_64")) {
          assert.equal(verdict(other, number), otherwise, `${other} ${number.toString(16)}`);
        }
      }
      assert.equal(verdict("x86_64", 0x3fffffff), otherwise);
      for (const architecture of all) assert.equal(verdict(architecture, 0xffffffff), ALLOW, architecture);
    }
  });

  it("has few instructions for calls in a row", () => {
    const names = [...systemCalls("x86_64").keys()].filter((name) => numberOf(name, "x86_64") < 300);
    const { instructions, worstSteps } = compileRules(
      { rules: names.map((name) => allowing(name)), otherwise: refuse("EPERM") },
      ["x86_64"],
    );
    assert.ok(instructions <= 12 && worstSteps <= 7, `${instructions} instructions, ${worstSteps} steps`);
  });
});

describe("rules with tests of arguments", () => {
  const constants = [0, 1, 2, 0x5412, 0x7fffffff, 0x80000000, 0xffffffff];

  /** As the kernel has the argument, and as mathematics has the comparison. */
  function holds(test: ArgumentTest, args: readonly bigint[]): boolean {
    const argument = args[test.argument] ?? 0n;
    switch (test.comparison) {
      case "equal":
        return argument === test.value;
      case "not-equal":
        return argument !== test.value;
      case "masked-equal":
        return (argument & test.mask) === test.value;
      case "less":
        return argument < test.value;
      case "less-or-equal":
        return argument <= test.value;
      case "greater":
        return argument > test.value;
      case "greater-or-equal":
        return argument >= test.value;
    }
  }

  const comparisons = ["equal", "not-equal", "less", "less-or-equal", "greater", "greater-or-equal"] as const;

  it("compare all bits of both words, or those of a mask", () => {
    const values = edgeValues(constants, true);
    const masks = [
      0n,
      1n,
      0x10000000n,
      0x80000000n,
      0xffffffffn,
      0x100000000n,
      0xf0f0f0f0f0f0f0f0n,
      0xffffffffffffffffn,
    ];
    const tests: ArgumentTest[] = values.flatMap((value): ArgumentTest[] => [
      ...comparisons.map((comparison): ArgumentTest => ({ argument: 3, comparison, value })),
      ...masks.map((mask): ArgumentTest => ({ argument: 3, comparison: "masked-equal", mask, value })),
      ...masks.map((mask): ArgumentTest => ({ argument: 3, comparison: "masked-equal", mask, value: value & mask })),
    ]);
    for (const test of tests) {
      const verdict = judge({ rules: [refusing("ioctl", test)], otherwise: ALLOW }, "x86_64", "i386");
      for (const architecture of ["x86_64", "i386"] as const) {
        for (const value of edgeValues(constants, architecture === "x86_64")) {
          const args = [0n, 0n, 0n, value];
          const expected = holds(test, args) ? refuse("EPERM") : ALLOW;
          const text = `${architecture} ${test.comparison} ${test.value} ${"mask" in test ? test.mask : ""}: ${value}`;
          assert.equal(verdict(architecture, numberOf("ioctl", architecture), ...args), expected, text);
        }
      }
    }
  });

  it("look at each of the six arguments", () => {
    for (const argument of [0, 1, 2, 3, 4, 5] as const) {
      const rules = [refusing("futex", { argument, comparison: "equal", value: 0x1_0000_0002n })];
      const verdict = judge({ rules, otherwise: ALLOW }, "aarch64");
      for (let place = 0; place < 6; place++) {
        const args = Array.from({ length: 6 }, (_, index) => (index === place ? 0x1_0000_0002n : 7n));
        assert.equal(verdict("aarch64", 98, ...args) === ALLOW, place !== argument);
      }
    }
  });

  it("are done in order: the first rule whose tests all hold decides", () => {
    const random = pseudoRandom(1);
    const below = (limit: number): number => random.next().value % limit;
    const pick = <T>(list: readonly T[]): T => list[below(list.length)] ?? assert.fail();
    const values = edgeValues([1, 2, 0x80000000], true);
    const actions = [ALLOW, refuse("EPERM"), refuse("ENOSYS"), KILL_PROCESS];
    const test = (): ArgumentTest => {
      const [argument, value] = [below(2) as ArgumentIndex, pick(values)];
      const comparison = pick([...comparisons, "masked-equal"] as const);
      return comparison === "masked-equal"
        ? { argument, comparison, mask: pick(values), value }
        : { argument, comparison, value };
    };
    for (let round = 0; round < 400; round++) {
      const rules = Array.from({ length: 1 + below(6) }, (): Rule => {
        return { name: "ioctl", tests: Array.from({ length: below(4) }, test), action: pick(actions) };
      });
      const otherwise = pick(actions);
      const verdict = judge({ rules, otherwise }, "riscv64");
      for (let call = 0; call < 100; call++) {
        const args = [pick(values), pick(values)];
        const expected = rules.find(({ tests }) => tests.every((each) => holds(each, args)))?.action ?? otherwise;
        assert.equal(verdict("riscv64", 29, ...args), expected, `round ${round}`);
      }
    }
  });

  it("can be so many that jumps do not reach, and then still lead to the right place", () => {
    const random = pseudoRandom(2);
    const names = [...systemCalls("x86_64").keys()];
    const actions = [ALLOW, refuse("EPERM"), refuse("ENOSYS"), refuse("EACCES"), KILL_PROCESS];
    const rules = names.flatMap((name): Rule[] =>
      [0, 1].map((): Rule => {
        const value = BigInt(random.next().value % 5);
        const action = actions[random.next().value % actions.length] ?? ALLOW;
        return { name, tests: [{ argument: 0, comparison: "equal", value }], action };
      }),
    );
    const list = { rules, otherwise: refuse("EXDEV") };
    assert.ok(compileRules(list, ["x86_64"]).instructions > 1000);
    const verdict = judge(list, "x86_64");
    for (const name of names) {
      for (let value = 0n; value < 6n; value++) {
        const own = rules.filter((rule) => systemCalls("x86_64").get(rule.name) === numberOf(name, "x86_64"));
        const expected =
          own.find(({ tests }) => tests.every((test) => holds(test, [value])))?.action ?? refuse("EXDEV");
        assert.equal(verdict("x86_64", numberOf(name, "x86_64"), value), expected, `${name}(${value})`);
      }
    }
  });

  it("can be more than the kernel takes, which is an error", () => {
    const names = [...systemCalls("x86_64").keys()];
    const rules = names.flatMap((name, call) =>
      Array.from({ length: 12 }, (_, index) =>
        refusing(name, { argument: 0, comparison: "equal", value: BigInt(call * 100 + index) }),
      ),
    );
    assert.throws(
      () => compileRules({ rules, otherwise: ALLOW }, ["x86_64"]),
      (error) =>
        error instanceof GLibError &&
        error.matches(ErrorDomain.SANDBOX, SandboxError.LIMIT_EXCEEDED) &&
        error.message.includes(`${MAX_INSTRUCTIONS}`),
    );
  });

  it("take no value that has more than 64 bits, or is negative", () => {
    for (const value of [-1n, 1n << 64n]) {
      const rules = [refusing("ioctl", { argument: 0, comparison: "equal", value })];
      assert.throws(() => compileRules({ rules, otherwise: ALLOW }, ["x86_64"]), RangeError);
    }
  });
});

describe("rules for what i386 calls through socketcall() and ipc()", () => {
  const socketcall = numberOf("socketcall", "i386");
  const ipc = numberOf("ipc", "i386");
  const family: ArgumentTest = { argument: 0, comparison: "equal", value: 1n };

  it("hold there too", () => {
    const verdict = judge({ rules: [refusing("connect"), refusing("shmget")], otherwise: ALLOW }, "i386");
    for (let call = 0n; call < 30n; call++) {
      assert.equal(verdict("i386", socketcall, call), call === 3n ? refuse("EPERM") : ALLOW, `socketcall ${call}`);
      assert.equal(verdict("i386", ipc, call), call === 23n ? refuse("EPERM") : ALLOW, `ipc ${call}`);
      // a version of the call is in the upper half
      assert.equal(
        verdict("i386", ipc, call | 0x10000n),
        call === 23n ? refuse("EPERM") : ALLOW,
        `ipc ${call}, version 1`,
      );
    }
    const allowed = judge({ rules: [allowing("connect")], otherwise: refuse("EPERM") }, "i386");
    assert.equal(allowed("i386", socketcall, 3n), ALLOW);
    assert.equal(allowed("i386", socketcall, 1n), refuse("EPERM"));
  });

  it("refuse there whatever the arguments are, since those cannot be looked at", () => {
    const verdict = judge({ rules: [allowing("socket", family), refusing("socket")], otherwise: ALLOW }, "i386");
    assert.equal(verdict("i386", 359, 1n), ALLOW);
    assert.equal(verdict("i386", 359, 2n), refuse("EPERM"));
    assert.equal(verdict("i386", socketcall, 1n), refuse("EPERM"));
    assert.equal(verdict("i386", socketcall, 2n), ALLOW);
    const onlySome = judge({ rules: [refusing("socket", family)], otherwise: ALLOW }, "i386");
    assert.equal(onlySome("i386", socketcall, 1n), refuse("EPERM"));
    const allowsSome = judge({ rules: [allowing("socket", family)], otherwise: refuse("EACCES") }, "i386");
    assert.equal(allowsSome("i386", socketcall, 1n), refuse("EACCES"));
  });

  it("are not undone by what is said of the call itself, and do not undo it", () => {
    const both = judge({ rules: [refusing("connect"), allowing("socketcall")], otherwise: refuse("EACCES") }, "i386");
    assert.equal(both("i386", socketcall, 3n), refuse("EPERM"));
    assert.equal(both("i386", socketcall, 1n), ALLOW);
    const closed = judge({ rules: [refusing("socketcall"), allowing("connect")], otherwise: refuse("EACCES") }, "i386");
    assert.equal(closed("i386", socketcall, 3n), refuse("EPERM"));
  });
});
