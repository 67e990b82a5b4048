import assert from "node:assert/strict";
import { planBubblewrap, planBubblewrapProbe } from "../../src/plan/bubblewrap.js";
import type { BubblewrapFacts } from "../../src/plan/bubblewrap-facts.js";
import { emptyDesktop } from "../../src/plan/desktop-plan.js";
import type { HostFacts, ResolvedMount } from "../../src/plan/host-facts.js";
import type { BubblewrapPlan } from "../../src/plan/launch-plan.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { compileSyscallPolicy } from "../../src/seccomp/compile-policy.js";
import { ErrorDomain, GLibError, SandboxError, SpawnError } from "../../src/subprocess/glib-error.js";
import type { CommandRequest } from "../../src/subprocess/launch-request.js";

const host: HostFacts = {
  uid: 1000,
  gid: 1000,
  architecture: "x86_64",
  systemDirectories: [
    { path: "/bin", linkTarget: "usr/bin" },
    { path: "/lib", linkTarget: null },
  ],
};

const bubblewrap: BubblewrapFacts = {
  path: "/usr/bin/bwrap",
  version: [0, 8, 0],
  options: new Set(["--bind-fd", "--ro-bind-fd"]),
};

const command: CommandRequest = {
  argv: ["program", "secret-argument"],
  environment: ["SECRET=variable"],
  directory: "/secret-directory",
  searchPath: "/bin",
  timeout: null,
  descriptors: [],
};

const mount = (path: string, writable: boolean): ResolvedMount => ({ path, writable, device: 1n, inode: 2n });

function plan(
  permissions = new SandboxPermissions(),
  mounts: readonly ResolvedMount[] = [],
  options: Partial<CommandRequest> = {},
  facts = bubblewrap,
): BubblewrapPlan {
  const request = { host, bubblewrap: facts, permissions: permissions.snapshot(), mounts, desktop: emptyDesktop, pid1: "init" } as const;
  return planBubblewrap(request, { ...command, ...options });
}

/** The words of a plan's --args, which is the descriptor that its command line names. */
function words({ argv, descriptors }: Omit<BubblewrapPlan, "frames">): string[] {
  assert.equal(argv[0], "--args");
  const data = descriptors[Number(argv[1])];
  assert.ok(data?.kind === "data");
  return new TextDecoder().decode(data.bytes).split("\0").slice(0, -1);
}

function indexOfSequence(list: readonly string[], sequence: readonly string[]): number {
  return list.findIndex((_, index) => sequence.every((word, offset) => list[index + offset] === word));
}

describe("the plan of a bubblewrap sandbox", () => {
  it("always makes all namespaces, forbids new ones, and drops capabilities and the environment", () => {
    for (const permissions of [new SandboxPermissions(), new SandboxPermissions().share("network")]) {
      const args = words(plan(permissions));
      for (const word of ["--unshare-all", "--unshare-user", "--disable-userns", "--new-session", "--clearenv", "--as-pid-1"]) {
        assert.ok(args.includes(word), word);
      }
      assert.ok(indexOfSequence(args, ["--cap-drop", "ALL"]) >= 0);
      assert.ok(indexOfSequence(args, ["--hostname", "sandbox"]) >= 0);
    }
  });

  it("shares the network, and what name look-ups read, only when asked", () => {
    const without = words(plan());
    assert.ok(!without.includes("--share-net") && !without.includes("/etc/resolv.conf"));
    const shared = words(plan(new SandboxPermissions().share("network")));
    assert.ok(shared.includes("--share-net") && shared.includes("/etc/resolv.conf"));
  });

  it("keeps every other namespace when IPC is shared", () => {
    const args = words(plan(new SandboxPermissions().share("ipc")));
    assert.ok(!args.includes("--unshare-all") && !args.includes("--unshare-ipc"));
    for (const word of ["user", "pid", "net", "uts"]) assert.ok(args.includes(`--unshare-${word}`), word);
  });

  it("has nothing of the child in bwrap's arguments or command line", () => {
    const { argv, ...rest } = plan();
    const all = [...argv, ...words({ argv, ...rest })].join(" ");
    for (const secret of ["program", "secret-argument", "SECRET", "secret-directory"]) {
      assert.ok(!all.includes(secret), secret);
    }
    assert.ok(new TextDecoder("latin1").decode(rest.frames()).includes("secret-argument"));
  });

  it("puts “--” before init, which it starts from its descriptor", () => {
    const { argv, descriptors } = plan();
    assert.equal(argv[2], "--");
    const init = /^\/proc\/self\/fd\/(\d+)$/.exec(argv[3] ?? "");
    assert.equal(descriptors[Number(init?.[1])]?.kind, "init");
    assert.equal(descriptors[Number(argv[4])]?.kind, "control");
    assert.equal(argv.length, 5);
  });

  it("makes /bin and its like as the host has them", () => {
    const args = words(plan());
    assert.ok(indexOfSequence(args, ["--symlink", "usr/bin", "/bin"]) >= 0);
    assert.ok(indexOfSequence(args, ["--ro-bind", "/lib", "/lib"]) >= 0);
  });

  it("lets nobody write to the settings of the kernel, root neither", () => {
    const args = words(plan());
    const proc = indexOfSequence(args, ["--proc", "/proc"]);
    for (const path of ["/proc/sys", "/proc/sysrq-trigger", "/proc/fs"]) {
      assert.ok(indexOfSequence(args, ["--ro-bind-try", path, path]) > proc, path);
    }
  });

  it("bounds every file system that the child can write to", () => {
    const args = words(plan());
    for (const path of ["/dev/shm", "/tmp", "/home/user", "/run/user/1000"]) {
      const at = indexOfSequence(args, ["--tmpfs", path]);
      assert.deepEqual(args.slice(at - 2, at), ["--size", String(256 * 1024 * 1024)], path);
    }
    assert.equal(args.filter((word) => word === "--tmpfs").length, 4);
    const limited = words(plan(new SandboxPermissions().setLimit("tmpfs", 4096)));
    assert.ok(!limited.includes(String(256 * 1024 * 1024)) && limited.includes("4096"));
    assert.deepEqual(args.slice(-2), ["--remount-ro", "/"]);
    assert.ok(indexOfSequence(args, ["--remount-ro", "/dev"]) >= 0);
  });

  it("mounts granted paths by descriptor, parents before what lies in them", () => {
    const mounts = [mount("/data/a/b", true), mount("/data", false), mount("/x", true)];
    const sandbox = plan(new SandboxPermissions(), mounts);
    const args = words(sandbox);
    const bound = args.flatMap((word, index) => (/^--(ro-)?bind-fd$/.test(word) ? [args.slice(index, index + 3)] : []));
    assert.deepEqual(
      bound.map(([option, fd, path]) => [option, sandbox.descriptors[Number(fd)], path]),
      [
        ["--ro-bind-fd", { kind: "granted", index: 1 }, "/data"],
        ["--bind-fd", { kind: "granted", index: 2 }, "/x"],
        ["--bind-fd", { kind: "granted", index: 0 }, "/data/a/b"],
      ],
    );
  });

  it("mounts them through /proc with a bwrap that cannot do it by descriptor", () => {
    const sandbox = plan(new SandboxPermissions(), [mount("/data", false)], {}, { ...bubblewrap, options: new Set() });
    const args = words(sandbox);
    const at = args.findIndex((word) => word.startsWith("/proc/self/fd/"));
    assert.deepEqual([args[at - 1], args[at + 1]], ["--ro-bind", "/data"]);
    assert.deepEqual(sandbox.descriptors[Number(args[at]?.slice("/proc/self/fd/".length))], { kind: "granted", index: 0 });
  });

  it("passes each of the child's descriptors once, however often it is mapped", () => {
    const descriptors = [
      { target: 1, source: 4 },
      { target: 2, source: 4 },
      { target: 9, source: 7 },
    ];
    const planned = plan(new SandboxPermissions(), [], { descriptors }).descriptors.filter(({ kind }) => kind === "child");
    assert.deepEqual(planned, [
      { kind: "child", index: 4 },
      { kind: "child", index: 7 },
    ]);
  });

  it("refuses targets that no child can have", () => {
    for (const target of [-1, 1024, 10_000, 1.5, Number.NaN]) {
      assert.throws(
        () => plan(new SandboxPermissions(), [], { descriptors: [{ target, source: 0 }] }),
        (error) => error instanceof GLibError && error.matches(ErrorDomain.SPAWN, SpawnError.FAILED),
      );
    }
    plan(new SandboxPermissions(), [], { descriptors: [{ target: 1023, source: 0 }] });
    plan(new SandboxPermissions().setLimit("open-files", 20_000), [], { descriptors: [{ target: 10_000, source: 0 }] });
  });

  it("refuses more than bwrap can be told", () => {
    const mounts = Array.from({ length: 3000 }, (_, index) => mount(`/data/${index}`, false));
    assert.throws(
      () => plan(new SandboxPermissions(), mounts),
      (error) => error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.LIMIT_EXCEEDED),
    );
  });

  it("filters system calls: for everything by the default's list, for the child by its policy's as well", () => {
    const contains = (bytes: Uint8Array, part: Uint8Array): boolean => Buffer.from(bytes).includes(Buffer.from(part));
    for (const architecture of ["x86_64", "aarch64"] as const) {
      const policy = { kind: "allow", entries: [{ name: "@system-service", errno: null }], errno: "EPERM" } as const;
      const filters = compileSyscallPolicy(policy, architecture);
      for (const syscalls of [{ kind: "default" }, policy] as const) {
        const permissions = { ...new SandboxPermissions().snapshot(), syscalls };
        const facts = { host: { ...host, architecture }, bubblewrap, desktop: emptyDesktop };
        const request = { ...facts, permissions, mounts: [], pid1: "init" } as const;
        const sandbox = planBubblewrap(request, command);
        const args = words(sandbox);
        const data = sandbox.descriptors[Number(args[args.indexOf("--seccomp") + 1])];
        assert.deepEqual(data, { kind: "data", bytes: filters.sandbox.bytes });
        assert.equal(contains(sandbox.frames(), filters.child?.bytes ?? assert.fail()), syscalls.kind === "allow");
      }
    }
  });

  it("is the same each time", () => {
    const whole = (): object => {
      const made = plan();
      return { ...made, frames: made.frames() };
    };
    assert.deepEqual(whole(), whole());
  });
});

describe("plans for the same permissions", () => {
  const permissions = new SandboxPermissions().addFilesystem("/a").freeze();
  const dataOf = (plan: BubblewrapPlan): Uint8Array | null => {
    const data = plan.descriptors[Number(plan.argv[1])];
    return data?.kind === "data" ? data.bytes : null;
  };

  it("have the same data of arguments, made once, as long as the mounts are the same", () => {
    const first = dataOf(plan(permissions, [mount("/a", true)]));
    assert.equal(dataOf(plan(permissions, [{ ...mount("/a", true), inode: 3n }], { argv: ["other"] })), first);
  });

  it("are others for other mounts and another bwrap", () => {
    const first = dataOf(plan(permissions, [mount("/a", true)]));
    for (const other of [
      plan(permissions, [mount("/a", false)]),
      plan(permissions, [mount("/b", true)]),
      plan(permissions, [mount("/a", true), mount("/b", true)]),
      plan(permissions, [mount("/a", true)], {}, { ...bubblewrap, options: new Set() }),
    ]) {
      assert.notDeepEqual(dataOf(other), first);
    }
  });
});

describe("the plan of the probe", () => {
  it("is that of a real sandbox, but for the program", () => {
    const probe = planBubblewrapProbe(host, bubblewrap, new SandboxPermissions().snapshot());
    const withoutNumbers = (list: readonly string[]): string[] => list.map((word) => (/^\d+$/.test(word) ? "N" : word));
    assert.deepEqual(withoutNumbers(words(probe)), withoutNumbers(words(plan())));
    assert.deepEqual(probe.argv.slice(2), ["--", "/usr/bin/true"]);
  });
});
