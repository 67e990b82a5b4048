import assert from "node:assert/strict";
import type { SyscallEntry, SyscallPolicy } from "../../src/permissions/permission-set.js";
import { ALLOW, refuse } from "../../src/seccomp/action.js";
import type { Architecture } from "../../src/seccomp/architecture.js";
import { architectures, withSibling } from "../../src/seccomp/architecture.js";
import type { SyscallFilters } from "../../src/seccomp/compile-policy.js";
import { compileSyscallPolicy, policyRules } from "../../src/seccomp/compile-policy.js";
import { compileRules } from "../../src/seccomp/compile-rules.js";
import { interpreter } from "../../src/seccomp/interpret.js";
import { resolvePolicy } from "../../src/seccomp/policy-entries.js";
import { groupMembers, groupNames, systemCalls } from "../../src/seccomp/system-calls.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";

const all = Object.keys(architectures) as Architecture[];

function entry(word: string): SyscallEntry {
  const [name = "", errno = null] = word.split(":");
  return { name, errno };
}

function allow(...words: string[]): SyscallPolicy {
  return { kind: "allow", entries: words.map(entry), errno: "EACCES" };
}

function block(...words: string[]): SyscallPolicy {
  return { kind: "block", entries: words.map(entry), errno: "EACCES" };
}

/** What the policy's own filter says to a call by name, its arguments zero. */
function childVerdict(policy: SyscallPolicy, architecture: Architecture = "x86_64"): (name: string) => number {
  const run = interpreter(compileSyscallPolicy(policy, architecture).child?.bytes ?? assert.fail());
  const { audit } = architectures[architecture];
  return (name) => {
    const number = systemCalls(architecture).get(name) ?? assert.fail(`${architecture} has no ${name}`);
    return run({ number, audit, arguments: [] }).action;
  };
}

function assertInvalid(action: () => unknown, ...parts: string[]): void {
  assert.throws(action, (error) => {
    assert.ok(
      error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION),
      String(error),
    );
    for (const part of parts) assert.ok(error.message.includes(part), `“${part}” in “${error.message}”`);
    return true;
  });
}

describe("a policy of system calls", () => {
  it("adds nothing to the list that always holds if it is the default", () => {
    for (const architecture of all) {
      const filters = compileSyscallPolicy({ kind: "default" }, architecture);
      assert.equal(filters.child, null);
      assert.deepEqual(filters.architectures, withSibling(architecture));
      assert.equal(filters.sandbox, compileSyscallPolicy(allow("@system-service"), architecture).sandbox);
    }
  });

  it("that allows refuses everything else, with its errno", () => {
    const verdict = childVerdict(allow("@file-system", "socket"));
    for (const name of ["openat", "mkdir", "socket"]) assert.equal(verdict(name), ALLOW, name);
    for (const name of ["connect", "ptrace", "io_uring_setup"]) assert.equal(verdict(name), refuse("EACCES"), name);
  });

  it("that allows always allows @default, and what a child needs to start and to end", () => {
    for (const policy of [allow(), allow("write"), allow("@default:ENOSYS")]) {
      for (const architecture of all) {
        const verdict = childVerdict(policy, architecture);
        const names = ["execve", "exit", "exit_group", "rt_sigreturn", "restart_syscall"];
        const old = systemCalls(architecture).has("sigreturn") ? ["sigreturn"] : [];
        for (const name of [...names, ...old]) assert.equal(verdict(name), ALLOW, `${architecture} ${name}`);
      }
    }
    const verdict = childVerdict(allow("write"));
    const names = (groupMembers("@default") ?? []).filter((name) => systemCalls("x86_64").has(name));
    assert.ok(names.length > 40);
    for (const name of names) assert.equal(verdict(name), ALLOW, name);
  });

  it("that allows refuses what has an errno of its own, in whatever order", () => {
    for (const policy of [
      allow("@process", "kill:ENOSYS"),
      allow("kill:ENOSYS", "@process"),
      allow("@process", "@signal", "kill:ENOSYS"),
    ]) {
      const verdict = childVerdict(policy);
      assert.equal(verdict("kill"), refuse("ENOSYS"));
      assert.equal(verdict("wait4"), ALLOW);
    }
  });

  it("that blocks allows everything else, and the last entry for a call counts", () => {
    const verdict = childVerdict(block("@network-io", "@chown:ENOSYS", "chown:EROFS", "connect:ECONNREFUSED"));
    assert.equal(verdict("socket"), refuse("EACCES"));
    assert.equal(verdict("connect"), refuse("ECONNREFUSED"));
    assert.equal(verdict("fchown"), refuse("ENOSYS"));
    assert.equal(verdict("chown"), refuse("EROFS"));
    for (const name of ["openat", "execve", "ptrace"]) assert.equal(verdict(name), ALLOW, name);
  });

  it("that blocks a group with calls in it that no child can do without leaves those", () => {
    const verdict = childVerdict(block("@default"));
    assert.equal(verdict("execve"), ALLOW);
    assert.equal(verdict("getpid"), refuse("EACCES"));
  });

  it("passes over calls that the architecture does not have", () => {
    const filters = compileSyscallPolicy(block("vm86", "osf_wait4", "s390_sthyi"), "aarch64");
    assert.equal(
      filters.child?.instructions,
      compileRules({ rules: [], otherwise: ALLOW }, ["aarch64", "arm"]).instructions,
    );
  });

  it("takes every group, alone and together", () => {
    for (const kind of [allow, block]) {
      for (const group of groupNames()) compileSyscallPolicy(kind(group), "x86_64");
      compileSyscallPolicy(kind(...groupNames()), "x86_64");
    }
  });

  it("says the same to both architectures of a machine as it says to each alone", () => {
    const policies = [allow("@system-service"), block("@network-io", "@ipc", "@keyring")];
    for (const policy of policies) {
      if (policy.kind === "default") continue;
      for (const architecture of ["x86_64", "aarch64"] as const) {
        const both = interpreter(compileSyscallPolicy(policy, architecture).child?.bytes ?? assert.fail());
        for (const one of withSibling(architecture)) {
          const alone = interpreter(compileRules(policyRules(resolvePolicy(policy)), [one]).bytes);
          const { audit } = architectures[one];
          const numbers = [
            ...Array.from({ length: 600 }, (_, number) => number),
            ...systemCalls(one).values(),
            0x40000000,
            0xffffffff,
          ];
          for (const number of numbers) {
            const call = { number, audit, arguments: [3n] };
            assert.equal(both(call).action, alone(call).action, `${one} ${number}`);
          }
        }
      }
    }
  });

  it("with a name that is none is an error that says which, and what may have been meant", () => {
    assertInvalid(() => compileSyscallPolicy(allow("@system-service", "opennat"), "x86_64"), "“opennat”", "“openat”");
    assertInvalid(
      () => compileSyscallPolicy(block("@netwrok-io"), "x86_64"),
      "group",
      "“@netwrok-io”",
      "“@network-io”",
    );
    assertInvalid(() => compileSyscallPolicy(block("ptarce"), "aarch64"), "“ptrace”");
    assertInvalid(() => compileSyscallPolicy(block("system-service"), "x86_64"), "“@system-service”");
    assertInvalid(
      () => compileSyscallPolicy(block("completely-unlike-anything\u001b[2J"), "x86_64"),
      "completely-unlike",
      "\\u{1b}",
    );
    for (const name of ["", "@", "toString", "__proto__", "constructor", "OPENAT"]) {
      assertInvalid(() => compileSyscallPolicy(block(name), "x86_64"), `“${name}”`);
    }
  });

  it("with an errno that is none is an error that says where", () => {
    assertInvalid(() => compileSyscallPolicy(block("ptrace:EBOGUS"), "x86_64"), "“ptrace”", "“EBOGUS”");
    assertInvalid(() => compileSyscallPolicy(block("ptrace:"), "x86_64"), "“ptrace”", "“”");
    assertInvalid(() => compileSyscallPolicy({ kind: "allow", entries: [], errno: "EVIL" }, "x86_64"), "“EVIL”");
    compileSyscallPolicy(block("ptrace:EOPNOTSUPP"), "x86_64");
  });

  it("that refuses by name what no child can do without is an error", () => {
    for (const name of ["execve", "exit_group", "exit", "rt_sigreturn", "restart_syscall"]) {
      assertInvalid(() => compileSyscallPolicy(block(name), "x86_64"), `“${name}”`);
      assertInvalid(() => compileSyscallPolicy(allow("@default", `${name}:EPERM`), "x86_64"), `“${name}”`);
    }
  });

  it("is compiled once", () => {
    const first = compileSyscallPolicy(allow("@file-system"), "x86_64");
    assert.equal(compileSyscallPolicy(allow("@file-system"), "x86_64"), first);
    assert.notEqual(compileSyscallPolicy(allow("@file-system"), "aarch64"), first);
    for (let index = 0; index < 100; index++)
      compileSyscallPolicy(block(`read:${index % 2 ? "EPERM" : "EIO"}`, ...Array<string>(index).fill("dup")), "x86_64");
    const again = compileSyscallPolicy(allow("@file-system"), "x86_64");
    assert.notEqual(again, first);
    assert.deepEqual(again, first);
  });

  it("is told in a sentence and in names", () => {
    const summary = (policy: SyscallPolicy): SyscallFilters["summary"] =>
      compileSyscallPolicy(policy, "x86_64").summary;
    const standard = summary({ kind: "default" });
    assert.match(
      standard.text,
      /^\d+ system calls are refused, 4 more with some of their arguments, and all others allowed$/,
    );
    assert.deepEqual(standard.restricted, ["clone", "ioctl", "personality", "socket"]);
    assert.ok(
      standard.refused.includes("mount") && !standard.refused.includes("umount") && !standard.refused.includes("clone"),
    );
    assert.equal(standard.allowed, null);
    assert.deepEqual(standard.overruled, []);
    const blocking = summary(block("socket", "mkdir"));
    assert.deepEqual(blocking.restricted, ["clone", "ioctl", "personality"]);
    assert.equal(blocking.refused.length, standard.refused.length + 2);
    const allowing = summary(allow("@basic-io", "ptrace", "clone"));
    assert.ok(allowing.allowed?.includes("read") === true && !allowing.allowed.includes("ptrace"));
    assert.match(
      allowing.text,
      /^\d+ system calls are allowed, 1 of them not with all arguments, and all others refused$/,
    );
    assert.deepEqual(allowing.overruled, ["clone", "ptrace"]);
  });
});

describe("the figures of filters", () => {
  const service: SyscallPolicy = { kind: "allow", entries: [{ name: "@system-service", errno: null }], errno: "EPERM" };

  it("are small: @system-service has at most 120 instructions, and decides in at most 12 steps", () => {
    const alone = compileRules(policyRules(resolvePolicy(service)), ["x86_64"]);
    assert.ok(alone.instructions <= 120 && alone.worstSteps <= 12);
    assert.deepEqual([alone.instructions, alone.worstSteps], [62, 10]);
    // with i386, which every sandbox on x86_64 covers
    const { child, sandbox } = compileSyscallPolicy(service, "x86_64");
    assert.deepEqual([child?.instructions, child?.worstSteps], [166, 12]);
    assert.deepEqual([sandbox.instructions, sandbox.worstSteps], [139, 17]);
  });

  it("are true: no call takes more steps than the program's worst, and one takes as many", () => {
    for (const architecture of ["x86_64", "aarch64"] as const) {
      const { sandbox, child } = compileSyscallPolicy(service, architecture);
      for (const program of [sandbox, child ?? assert.fail()]) {
        assert.equal(program.bytes.length, 8 * program.instructions);
        const run = interpreter(program.bytes);
        let most = 0;
        for (const one of withSibling(architecture)) {
          for (const number of [...Array(1000).keys(), ...systemCalls(one).values(), 0x40000000, 0xffffffff]) {
            for (const value of [0n, 1n, 2n, 10n, 16n, 99n, 0x5412n, 0x541cn]) {
              most = Math.max(most, run({ number, audit: architectures[one].audit, arguments: [value, value] }).steps);
            }
          }
        }
        assert.equal(most, program.worstSteps);
      }
    }
  });

  it("come in less than a millisecond once the compiler is warm, in the median", () => {
    const rounds = Array.from({ length: 60 }, () => {
      const start = performance.now();
      compileRules(policyRules(resolvePolicy(service)), ["x86_64"]);
      return performance.now() - start;
    });
    const median = rounds.slice(20).sort((a, b) => a - b)[20] ?? Infinity;
    assert.ok(median < 1, `${median} ms`);
  });
});
