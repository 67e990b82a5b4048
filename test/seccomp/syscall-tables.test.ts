import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Architecture } from "../../src/seccomp/architecture.js";
import { architectures } from "../../src/seccomp/architecture.js";
import { groupMembers, groupNames, knownNames, multiplexed, systemCalls } from "../../src/seccomp/system-calls.js";
import { groupsModule, missingGroupSource } from "../../tools/syscall-tables/groups.js";
import { missingHeaders, tablesModule } from "../../tools/syscall-tables/tables.js";
import { loadLibseccomp } from "./libseccomp.js";
import { skipWithout } from "./missing.js";

const names = Object.keys(architectures) as Architecture[];

function committed(file: string): string {
  return readFileSync(new URL(`../../src/seccomp/${file}`, import.meta.url), "utf8");
}

describe("the tables of system calls", () => {
  it("are what the script makes of the kernel's headers", function () {
    skipWithout(this, missingHeaders());
    assert.equal(committed("syscall-tables.ts"), tablesModule());
  });

  it("have the numbers that are known to differ, and those that do not", () => {
    const numbers = (name: string): (number | undefined)[] =>
      names.map((architecture) => systemCalls(architecture).get(name));
    assert.deepEqual(names, ["x86_64", "i386", "aarch64", "arm", "riscv64"]);
    assert.deepEqual(numbers("syslog"), [103, 103, 116, 103, 116]);
    assert.deepEqual(numbers("unshare"), [272, 310, 97, 337, 97]);
    assert.deepEqual(numbers("setns"), [308, 346, 268, 375, 268]);
    assert.deepEqual(numbers("mount"), [165, 21, 40, 21, 40]);
    assert.deepEqual(numbers("clone"), [56, 120, 220, 120, 220]);
    assert.deepEqual(numbers("ioctl"), [16, 54, 29, 54, 29]);
    assert.deepEqual(numbers("ptrace"), [101, 26, 117, 26, 117]);
    assert.deepEqual(numbers("socket"), [41, 359, 198, 281, 198]);
    assert.deepEqual(numbers("set_tls"), [undefined, undefined, undefined, 0xf0005, undefined]);
    for (const [name, number] of [
      ["open_tree", 428],
      ["clone3", 435],
      ["quotactl_fd", 443],
      ["open_tree_attr", 467],
    ] as const) {
      assert.deepEqual(
        numbers(name),
        names.map(() => number),
        name,
      );
    }
  });

  it("agree with libseccomp's on every name and number that both know", function () {
    const libseccomp = loadLibseccomp();
    skipWithout(this, libseccomp === null ? ["libseccomp2"] : []);
    let compared = 0;
    const differences: string[] = [];
    for (const architecture of names) {
      for (const [name, number] of systemCalls(architecture)) {
        const other = libseccomp?.numberOf(name, architecture) ?? null;
        if (other === null) continue;
        // it has numbers of its own for what i386 makes through another call
        if (architecture === "i386" && other < 0 && isMultiplexed(name)) continue;
        if (other !== number) differences.push(`${architecture} ${name} ${number} ${other}`);
        compared++;
      }
    }
    // the headers have two names for this call, libseccomp one
    assert.deepEqual(differences, ["arm sync_file_range2 341 -10089"]);
    assert.ok(compared > 1600, `${compared} compared`);
  });
});

function isMultiplexed(name: string): boolean {
  return Object.values(multiplexed).some(({ calls }) => calls.has(name));
}

describe("the groups of system calls", () => {
  it("are what the script makes of systemd's", function () {
    skipWithout(this, missingGroupSource());
    assert.equal(committed("syscall-groups.ts"), groupsModule());
  });

  it("have systemd's names, and members that are calls", () => {
    for (const group of ["@default", "@mount", "@network-io", "@process", "@system-service", "@known"]) {
      assert.ok(groupNames().includes(group), group);
    }
    for (const group of groupNames()) {
      const members = groupMembers(group) ?? assert.fail(group);
      assert.ok(members.length > 0, group);
      for (const member of members)
        assert.ok(!member.startsWith("@") && knownNames().has(member), `${group}: ${member}`);
      assert.equal(new Set(members).size, members.length, group);
    }
    assert.equal(groupMembers("@no-such-group"), null);
    assert.equal(groupMembers("toString"), null);
  });

  it("contain the groups in them", () => {
    const service = new Set(groupMembers("@system-service"));
    for (const name of groupMembers("@file-system") ?? []) assert.ok(service.has(name), name);
  });
});
