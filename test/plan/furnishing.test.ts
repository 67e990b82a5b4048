import assert from "node:assert/strict";
import { HelloFlag } from "../../src/init/protocol.js";
import { planBubblewrap, planOpenBubblewrap, planTemplate } from "../../src/plan/bubblewrap.js";
import type { BubblewrapRequest, TemplatePlan } from "../../src/plan/bubblewrap.js";
import type { DesktopPlan } from "../../src/plan/desktop-plan.js";
import { emptyDesktop } from "../../src/plan/desktop-plan.js";
import { furnishing } from "../../src/plan/furnishing.js";
import type { ResolvedMount } from "../../src/plan/host-facts.js";
import type { BubblewrapPlan } from "../../src/plan/launch-plan.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { compileSyscallPolicy } from "../../src/seccomp/compile-policy.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";
import { describeFrames, hex } from "../init/reference-decoder.js";

const mount = (path: string, writable = false): ResolvedMount => ({ path, writable, device: 1n, inode: 2n });

function request(parts: Partial<BubblewrapRequest> = {}): BubblewrapRequest {
  return {
    host: {
      ...{ uid: 1000, gid: 100, architecture: "x86_64" },
      systemDirectories: [
        { path: "/bin", linkTarget: "usr/bin" },
        { path: "/lib", linkTarget: null },
      ],
    },
    bubblewrap: { path: "/usr/bin/bwrap", version: [0, 8, 0], options: new Set<string>() },
    permissions: new SandboxPermissions().snapshot(),
    ...{ mounts: [], desktop: emptyDesktop, pid1: "init", isFurnished: true },
    ...parts,
  };
}

/** What bwrap is told of the sandbox: its options with their operands. */
function told(plan: Pick<BubblewrapPlan, "argv" | "descriptors">): string[] {
  const data = plan.descriptors[Number(plan.argv[1])];
  assert.ok(data?.kind === "data");
  return new TextDecoder().decode(data.bytes).split("\0").slice(0, -1);
}

/** The operations that init is told, each as `number/mode/path/content`. */
function operations({ frames }: BubblewrapPlan): string[] {
  const line = describeFrames(frames()).find((frame) => frame.startsWith("furnish ")) ?? "";
  const list = / op=\d+:(\S*)$/.exec(line)?.[1]?.split(",") ?? [];
  const text = (encoded = ""): string => Buffer.from(encoded, "hex").toString().replace(/\0$/, "");
  return list.map((item) => item.split("/")).map(([kind, mode, path, content]) => `${kind}/${mode}/${text(path)}/${text(content)}`);
}

function wordsAfter(words: readonly string[], option: string): string[][] {
  return words.flatMap((word, index) => (word === option ? [words.slice(index + 1, index + 3)] : []));
}

describe("the plan of a sandbox whose root directory init makes", () => {
  it("has bwrap make all namespaces, leave init no right but those for mounts, and bring the sources alone", () => {
    const words = told(planOpenBubblewrap(request(), 0));
    for (const word of ["--unshare-all", "--unshare-user", "--new-session", "--as-pid-1", "--clearenv"]) assert.ok(words.includes(word), word);
    const rights = words.flatMap((word, index) => (word.startsWith("--cap-") ? [`${word} ${words[index + 1] ?? ""}`] : []));
    assert.deepEqual(rights, ["--cap-drop ALL", "--cap-add CAP_SYS_ADMIN", "--cap-add CAP_NET_ADMIN", "--cap-add CAP_SETFCAP"]);
    for (const word of ["--tmpfs", "--dev", "--file", "--symlink", "--seccomp", "--remount-ro", "--disable-userns"]) {
      assert.ok(!words.includes(word), word);
    }
    assert.deepEqual(wordsAfter(words, "--ro-bind"), [["/usr", "/.sources/0"], ["/lib", "/.sources/1"]]);
    assert.deepEqual(wordsAfter(words, "--dev-bind"), [["/dev", "/dev"]]);
  });

  it("shares the network and IPC when asked, as with bwrap's", () => {
    const words = told(planOpenBubblewrap(request({ permissions: new SandboxPermissions().share("network").snapshot() }), 0));
    assert.ok(words.includes("--share-net"));
    assert.ok(wordsAfter(words, "--ro-bind-try").some(([source]) => source === "/etc/resolv.conf"));
    assert.ok(!told(planOpenBubblewrap(request({ permissions: new SandboxPermissions().share("ipc").snapshot() }), 0)).includes("--unshare-all"));
  });

  it("greets init, then says how the root directory is made, then launches", () => {
    const frames = (plan: BubblewrapPlan): string[] => describeFrames(plan.frames()).map((line) => line.split(" ", 2).join(" ").replace(/ uid.*/, ""));
    const command = { argv: ["true"], environment: [], directory: "/", searchPath: "/bin", timeout: null, descriptors: [] };
    assert.deepEqual(frames(planBubblewrap(request(), command)), [`hello ${HelloFlag.SINGLE_USE | HelloFlag.FURNISH}`, "furnish", "launch 1"]);
    assert.deepEqual(frames(planOpenBubblewrap(request(), 0)), [`hello ${HelloFlag.FURNISH}`, "furnish"]);
    assert.deepEqual(frames(planOpenBubblewrap(request({ isFurnished: false }), 0)), ["hello 0"]);
  });

  it("does what bwrap would, in its order, and covers nothing of /proc twice", () => {
    const list = operations(planOpenBubblewrap(request({ mounts: [mount("/home/user/x", true)] }), 0));
    const expected = [
      ...["1/493/etc/", "1/493/home/", "1/493/run/", "1/493/run/user/", "1/493/var/"],
      ...["4/1/usr/.sources/0", "2/0/bin/usr/bin", "4/1/lib/.sources/1", "4/5/etc/ld.so.cache/.sources/2"],
    ];
    assert.deepEqual(list.slice(0, expected.length).map((item) => item.replaceAll("//", "/")), expected);
    assert.equal(new Set(list.filter((item) => item.startsWith("7/"))).size, list.filter((item) => item.startsWith("7/")).length);
    for (const path of ["/proc/sys", "/proc/irq", "/proc/bus", "/proc/sysrq-trigger", "/proc/scsi"]) assert.ok(list.includes(`7/0/${path}/`), path);
    assert.ok(list.indexOf("6/0//proc/") < list.indexOf("7/0//proc/sys/"));
    assert.ok(list.indexOf("5/0//home/user/mode=700,size=268435456") < list.indexOf("4/0//home/user/x//.sources/4"), list.join("\n"));
    assert.equal(list.at(-1), "9/0///");
  });

  it("gives init the filter that bwrap would install", () => {
    const { permissions, host } = request();
    const line = describeFrames(planOpenBubblewrap(request(), 0).frames())[1] ?? "";
    assert.ok(line.includes(` filter=1:${hex(compileSyscallPolicy(permissions.syscalls, host.architecture).sandbox.bytes)} `));
    assert.match(line, new RegExp(` uid=1:${Buffer.from("1000 0 1").toString("hex")} gid=1:${Buffer.from("100 0 1").toString("hex")} `));
  });

  it("brings few granted paths each by itself, and many by the directories that they are in", () => {
    const mounts = Array.from({ length: 40 }, (_, index) => mount(`/granted/${index}`));
    const brought = (places?: readonly string[]): string[] => {
      const plan = planOpenBubblewrap(request({ mounts, places }), 0);
      const words = told(plan);
      return ["--bind", "--ro-bind"].flatMap((option) => wordsAfter(words, option).map(([source = ""]) => source)).filter((source) => !/^\/(?:usr|lib)$/.test(source));
    };
    const sources = (places: readonly string[]): string[] =>
      operations(planOpenBubblewrap(request({ mounts, places }), 0))
        .filter((item) => item.startsWith("4/1//granted/"))
        .map((item) => item.replace(/^.*\/(\/\.sources)/, "$1"));
    assert.equal(brought().length, 40);
    assert.ok(brought().every((source) => source.startsWith("/proc/self/fd/")));
    const together = mounts.map((_, index) => `/home/a/${index}`);
    assert.deepEqual(brought(together), ["/home/a"]);
    assert.equal(sources(together)[7], "/.sources/4/7");
    const scattered = mounts.map((_, index) => `/home/${index}/b`);
    assert.deepEqual(brought(scattered), ["/home"]);
    assert.equal(sources(scattered)[7], "/.sources/4/7/b");
    const atRoot = mounts.map((_, index) => (index === 0 ? "/home" : `/srv/${index}`));
    assert.deepEqual(brought(atRoot).map((source) => source.replace(/\d+$/, "N")).sort(), ["/proc/self/fd/N", "/srv"]);
  });

  it("leaves to bwrap what init does not do", () => {
    const desktop: DesktopPlan = { ...emptyDesktop, hidden: [{ path: "/home/x/secret", kind: "other" }] };
    const plan = planOpenBubblewrap(request({ desktop }), 0);
    assert.deepEqual(describeFrames(plan.frames()), ["hello 0"]);
    assert.ok(told(plan).includes("--disable-userns"));
    assert.equal(furnishing(plan, { uid: 1, gid: 1, first: 5 }), null);
  });

  it("is refused where bwrap's would be", () => {
    const mounts = Array.from({ length: 3100 }, (_, index) => mount(`/granted/${index}`));
    const isLimit = (error: unknown): boolean => error instanceof GLibError && error.matches(ErrorDomain.SANDBOX, SandboxError.LIMIT_EXCEEDED);
    assert.throws(() => planOpenBubblewrap(request({ mounts }), 0), isLimit);
  });
});

describe("the plan of a template", () => {
  const template = (parts: Partial<BubblewrapRequest> = {}): TemplatePlan | null => planTemplate(request(parts));

  it("keeps the rights to make sandboxes, and mounts nothing where each has something of its own", () => {
    const plan = template() ?? assert.fail();
    const words = told(plan);
    for (const word of ["--disable-userns", "--seccomp", "--tmpfs", "--size"]) assert.ok(!words.includes(word), word);
    assert.deepEqual(describeFrames(plan.frames()), [`hello ${HelloFlag.TEMPLATE}`]);
    assert.deepEqual(plan.make.privateDirectories, [
      { path: "/dev/shm", options: "mode=1777,size=268435456" },
      { path: "/tmp", options: "mode=1777,size=268435456" },
      { path: "/home/user", options: "mode=0700,size=268435456" },
      { path: "/run/user/1000", options: "mode=0700,size=268435456" },
    ]);
    assert.deepEqual([plan.make.userMap, plan.make.groupMap], ["1000 0 1", "100 0 1"]);
    assert.ok(plan.make.hasOwnNetwork && plan.make.hasOwnIpc);
  });

  it("takes along what is mounted in private directories, once", () => {
    const mounts = ["/tmp/a", "/tmp/a/b", "/home/user/c", "/home/other", "/tmpx"].map((path) => mount(path));
    assert.deepEqual(template({ mounts })?.make.carried, ["/tmp/a", "/home/user/c"]);
  });

  it("has no private directory where something granted lies over it", () => {
    const paths = template({ mounts: [mount("/tmp"), mount("/dev/shm")] })?.make.privateDirectories.map(({ path }) => path);
    assert.deepEqual(paths, ["/home/user", "/run/user/1000"]);
  });

  it("does not exist for what bwrap makes for each, for links into private directories, and for too much to carry", () => {
    assert.equal(template({ desktop: { ...emptyDesktop, directories: ["/run/user/1000/x"] } }), null);
    for (const path of ["/var/tmp/x", "/var/run/x", "/var/tmp"]) assert.equal(template({ mounts: [mount(path)] }), null);
    const many = (count: number): ResolvedMount[] => Array.from({ length: count }, (_, index) => mount(`/tmp/${index}`));
    assert.notEqual(template({ mounts: many(64) }), null);
    assert.equal(template({ mounts: many(65) }), null);
  });
});
