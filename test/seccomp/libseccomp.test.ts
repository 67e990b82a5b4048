import assert from "node:assert/strict";
import type { Action } from "../../src/seccomp/action.js";
import { ALLOW, refuse } from "../../src/seccomp/action.js";
import type { Architecture } from "../../src/seccomp/architecture.js";
import { architectures } from "../../src/seccomp/architecture.js";
import { policyRules } from "../../src/seccomp/compile-policy.js";
import { compileRules } from "../../src/seccomp/compile-rules.js";
import { defaultRules } from "../../src/seccomp/default-rules.js";
import { interpreter } from "../../src/seccomp/interpret.js";
import { resolvePolicy } from "../../src/seccomp/policy-entries.js";
import type { ArgumentIndex, ArgumentTest, RuleList } from "../../src/seccomp/rules.js";
import { groupMembers, groupNames, multiplexed, systemCalls } from "../../src/seccomp/system-calls.js";
import type { Errno } from "../../src/subprocess/errno.js";
import { edgeValues, pseudoRandom } from "./edge-values.js";
import type { Libseccomp, OracleRule } from "./libseccomp.js";
import { loadLibseccomp } from "./libseccomp.js";
import { skipWithout } from "./missing.js";

/*
 * Differences that are there on purpose, and therefore not compared:
 *
 * - numbers of x32 on x86_64: libseccomp kills, we refuse with ENOSYS, so that a program that asks can go on
 * - number −1: libseccomp does what it does with any unknown number; a tracer skips calls with it, so we let it pass
 * - numbers of calls with a name that only one side knows: libseccomp 2.5.4 ends with Linux 5.17, and knows 341 on arm
 *   (arm_sync_file_range) by one of its two names
 * - socket() with its own number on i386: libseccomp takes no tests of arguments for it (compile-rules.test.ts has them)
 */
const allArchitectures = Object.keys(architectures) as Architecture[];

const END_OF_NUMBERS = 1200;

/** The numbers to compare: those that both know, and those that neither does. */
function comparedNumbers(libseccomp: Libseccomp, architecture: Architecture): number[] {
  const calls = [...systemCalls(architecture)];
  const known = new Set(calls.map(([, number]) => number));
  const unknownThere = new Set(
    calls.filter(([name]) => !isKnown(libseccomp, name, architecture)).map(([, number]) => number),
  );
  const numbers = [...Array.from({ length: END_OF_NUMBERS }, (_, number) => number), ...known, 0x3fffffff];
  return [...new Set(numbers)].filter((number) => {
    return known.has(number) ? !unknownThere.has(number) : libseccomp.nameOf(number, architecture) === null;
  });
}

function isKnown(libseccomp: Libseccomp, name: string, architecture: Architecture): boolean {
  const number = libseccomp.numberOf(name, architecture);
  // it has negative numbers of its own for what i386 makes through another call
  return number !== null && (number >= 0 || architecture === "i386");
}

interface Comparison {
  readonly architecture: Architecture;
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
  readonly numbers: readonly number[];
  readonly argumentsOf: (number: number) => readonly (readonly bigint[])[];
}

/** Runs both programs; returns how often. */
function compare({ architecture, ours, theirs, numbers, argumentsOf }: Comparison): number {
  const { audit } = architectures[architecture];
  const [runOurs, runTheirs] = [interpreter(ours), interpreter(theirs)];
  let compared = 0;
  for (const number of numbers) {
    for (const args of argumentsOf(number)) {
      const call = { number, audit, arguments: args };
      const [our, their] = [runOurs(call).action, runTheirs(call).action];
      if (our !== their) {
        assert.fail(
          `${architecture} ${number}(${args.join(", ")}): ${our.toString(16)}, libseccomp ${their.toString(16)}`,
        );
      }
      compared++;
    }
  }
  return compared;
}

/** The rules of plain names that libseccomp knows. */
function oracleRules(libseccomp: Libseccomp, { rules }: RuleList): OracleRule[] {
  return rules.filter(({ name }) => libseccomp.numberOf(name, "x86_64") !== null);
}

describe("compared with libseccomp", () => {
  let libseccomp: Libseccomp;

  before(function () {
    const loaded = loadLibseccomp();
    skipWithout(this, loaded === null ? ["libseccomp2"] : []);
    if (loaded !== null) libseccomp = loaded;
  });

  for (const architecture of allArchitectures) {
    it(`the default list says the same on ${architecture} to every number and edge argument`, () => {
      const { isWide } = architectures[architecture];
      const constants = [0, 1, 2, 8, 10, 16, 31, 45, 0x5412, 0x541c, 0x10000000, 0x20000000, 0x7e020080, 0xffffffff];
      const edges = edgeValues(constants, isWide);
      const alike = edges.map((value) => Array.from({ length: 6 }, () => value));
      const apart = edges.flatMap((value) => [[value], [0n, value]]);
      const tested = ["clone", "ioctl", "personality", "socket", "socketcall"].map((name) =>
        systemCalls(architecture).get(name),
      );
      const compared = compare({
        architecture,
        ours: compileRules(defaultRules(), [architecture]).bytes,
        theirs: libseccomp.compile(architecture, ALLOW, handwrittenDefault(libseccomp, architecture)),
        numbers: comparedNumbers(libseccomp, architecture).filter(
          (number) => architecture !== "i386" || number !== 359,
        ),
        argumentsOf: (number) => (tested.includes(number) ? [...alike, ...apart] : alike),
      });
      assert.ok(compared > 40_000, `${compared} compared`);
    });

    it(`each group says the same on ${architecture}, as a list of what is allowed and of what is refused`, () => {
      const numbers = comparedNumbers(libseccomp, architecture);
      const argumentLists = Array.from({ length: 32 }, (_, value) => [BigInt(value)]);
      const multiplexers = ["socketcall", "ipc"].map((name) => systemCalls(architecture).get(name));
      for (const group of groupNames()) {
        for (const kind of ["allow", "block"] as const) {
          const list = policyRules(resolvePolicy({ kind, entries: [{ name: group, errno: null }], errno: "EACCES" }));
          compare({
            architecture,
            ours: compileRules(list, [architecture]).bytes,
            theirs: libseccomp.compile(architecture, list.otherwise, oracleRules(libseccomp, list)),
            numbers,
            argumentsOf: (number) => (multiplexers.includes(number) ? argumentLists : argumentLists.slice(0, 2)),
          });
        }
      }
    });

    it(`random rules say the same on ${architecture}`, () => {
      const random = pseudoRandom(allArchitectures.indexOf(architecture));
      const numbers = comparedNumbers(libseccomp, architecture);
      for (let round = 0; round < 30; round++) {
        const { rules, otherwise, constants } = randomRules(random, libseccomp, architecture);
        const edges = edgeValues(constants, architectures[architecture].isWide);
        const pick = (): bigint => edges[random.next().value % edges.length] ?? 0n;
        const argumentLists = Array.from({ length: 100 }, () => Array.from({ length: 6 }, pick));
        const ruled = new Set(rules.map(({ name }) => systemCalls(architecture).get(name)));
        compare({
          architecture,
          ours: compileRules({ rules, otherwise }, [architecture]).bytes,
          theirs: libseccomp.compile(architecture, otherwise, rules),
          numbers,
          argumentsOf: (number) => (ruled.has(number) ? argumentLists : argumentLists.slice(0, 1)),
        });
      }
    });
  }

  it("@system-service has a fraction of its instructions and steps", () => {
    const list = policyRules(
      resolvePolicy({ kind: "allow", entries: [{ name: "@system-service", errno: null }], errno: "EPERM" }),
    );
    const { instructions } = compileRules(list, ["x86_64"]);
    const theirs = libseccomp.compile("x86_64", list.otherwise, oracleRules(libseccomp, list)).length / 8;
    assert.ok(instructions * 3 < theirs, `${instructions} instructions, libseccomp ${theirs}`);
    assert.ok((groupMembers("@system-service") ?? []).length > 300);
  });
});

/** The default list once more, as a user of libseccomp would write it. */
function handwrittenDefault(libseccomp: Libseccomp, architecture: Architecture): OracleRule[] {
  const plain: Partial<Record<Errno, string>> = {
    EPERM:
      "syslog uselib acct quotactl quotactl_fd add_key keyctl request_key move_pages mbind get_mempolicy set_mempolicy " +
      "set_mempolicy_home_node migrate_pages unshare setns mount umount umount2 pivot_root chroot modify_ldt " +
      "perf_event_open ptrace process_vm_readv process_vm_writev pidfd_getfd bpf userfaultfd kexec_load kexec_file_load",
    ENOSYS:
      "clone3 open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick mount_setattr io_uring_setup " +
      "io_uring_enter io_uring_register",
  };
  const masked = (argument: ArgumentIndex, mask: bigint, value: bigint): ArgumentTest => {
    return { argument, comparison: "masked-equal", mask, value };
  };
  const rule = (errno: Errno, name: string, ...tests: ArgumentTest[]): OracleRule => ({
    name,
    tests,
    action: refuse(errno),
  });
  const low = 0xffffffffn;
  const families = [3n, 4n, 5n, 6n, 7n, 8n, 9n, 11n, 12n, 13n, 14n, 15n];
  const more = [17n, 18n, 19n, 20n, 21n, 22n, 23n, 24n, 25n, 26n, 27n, 28n, 29n, 30n, 31n];
  // whatever has one of these bits in its low word is above 31
  const bits = Array.from({ length: 27 }, (_, index) => 1n << BigInt(index + 5));
  const sockets =
    architecture === "i386"
      ? [rule("EAFNOSUPPORT", "socketcall", { argument: 0, comparison: "equal", value: 1n })]
      : [
          ...[...families, ...more].map((family) => rule("EAFNOSUPPORT", "socket", masked(0, low, family))),
          ...bits.map((bit) => rule("EAFNOSUPPORT", "socket", masked(0, bit, bit))),
        ];
  return [
    ...Object.entries(plain).flatMap(([errno, names]) => names.split(" ").map((name) => rule(errno as Errno, name))),
    rule("EPERM", "clone", masked(0, 0x10000000n, 0x10000000n)),
    rule("EPERM", "ioctl", masked(1, low, 0x5412n)),
    rule("EPERM", "ioctl", masked(1, low, 0x541cn)),
    rule("EPERM", "personality", { argument: 0, comparison: "not-equal", value: 0n }),
    ...sockets,
  ].filter(({ name }) => libseccomp.numberOf(name, "x86_64") !== null);
}

interface RandomRules {
  readonly rules: readonly OracleRule[];
  readonly otherwise: Action;
  /** What the rules ask for, in 32 bits. */
  readonly constants: readonly number[];
}

/** One rule a name, since of several libseccomp chooses its own order. */
function randomRules(
  random: Generator<number, never>,
  libseccomp: Libseccomp,
  architecture: Architecture,
): RandomRules {
  const below = (limit: number): number => random.next().value % limit;
  const isMultiplexed = (name: string): boolean => {
    // with arguments, libseccomp refuses to make them
    return Object.entries(multiplexed).some(([call, { calls }]) => call === name || calls.has(name));
  };
  const names = [...systemCalls(architecture).keys()].filter((name) => {
    return (
      libseccomp.numberOf(name, architecture) !== null &&
      libseccomp.numberOf(name, "x86_64") !== null &&
      !isMultiplexed(name)
    );
  });
  const constants = Array.from({ length: 6 }, () => (below(2) === 0 ? random.next().value : below(100)));
  const { isWide } = architectures[architecture];
  const value = (): bigint => {
    const high = isWide && below(2) === 0 ? BigInt(below(3)) << 32n : 0n;
    return high | BigInt(constants[below(constants.length)] ?? 0);
  };
  const comparisons = ["equal", "not-equal", "less", "less-or-equal", "greater", "greater-or-equal"] as const;
  const test = (argument: ArgumentIndex): ArgumentTest => {
    const mask = value();
    const comparison = comparisons[below(comparisons.length)] ?? "equal";
    return below(4) === 0
      ? { argument, comparison: "masked-equal", mask, value: value() & mask }
      : { argument, comparison, value: value() };
  };
  const [action, otherwise] = below(2) === 0 ? [ALLOW, refuse("EXDEV")] : [refuse("EPERM"), ALLOW];
  const chosen = new Set(Array.from({ length: 1 + below(80) }, () => names[below(names.length)] ?? "read"));
  const rules = [...chosen].map((name): OracleRule => {
    const tested = ([0, 1, 2, 3, 4, 5] as const).filter(() => below(4) === 0);
    return { name, tests: tested.map(test), action };
  });
  return { rules, otherwise, constants };
}
