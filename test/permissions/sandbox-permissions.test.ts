import assert from "node:assert/strict";
import type { Device, Limit, PermissionSet, Share, Socket } from "../../src/permissions/permission-set.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { devices, limits, shares, sockets } from "../../src/permissions/vocabulary.js";
import { ErrorDomain, GLibError, SandboxError } from "../../src/subprocess/glib-error.js";

function isInvalid(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof GLibError &&
    error.matches(ErrorDomain.SANDBOX, SandboxError.INVALID_PERMISSION) &&
    pattern.test(error.message);
}

describe("permissions", () => {
  it("begin with nothing", () => {
    assert.deepEqual(new SandboxPermissions().snapshot(), {
      shared: new Set(),
      sockets: new Set(),
      devices: new Set(),
      filesystems: [],
      filesystemDescriptors: [],
      hiddenPaths: [],
      optionalSockets: new Set(),
      optionalDevices: new Set(),
      optionalFilesystems: new Set(),
      sessionBus: new Map(),
      systemBus: new Map(),
      portals: false,
      a11y: false,
      environment: new Map(),
      limits: new Map(),
      syscalls: { kind: "default" },
    } satisfies PermissionSet);
    assert.equal(new SandboxPermissions().toKeyFile(), "");
  });

  it("grant one thing a call, and nothing besides, and take it back", () => {
    const steps: readonly (readonly [(p: SandboxPermissions) => unknown, (p: SandboxPermissions) => unknown, string])[] = [
      ...shares.map((word) => [(p: SandboxPermissions) => p.share(word), (p: SandboxPermissions) => p.unshare(word), `[Context]\nshared=${word};\n`] as const),
      ...sockets.map((word) => [(p: SandboxPermissions) => p.addSocket(word), (p: SandboxPermissions) => p.removeSocket(word), `[Context]\nsockets=${word};\n`] as const),
      ...devices.map((word) => [(p: SandboxPermissions) => p.addDevice(word), (p: SandboxPermissions) => p.removeDevice(word), `[Context]\ndevices=${word};\n`] as const),
      [(p) => p.addSocket("cups-try"), (p) => p.removeSocket("cups"), "[Context]\nsockets=cups-try;\n"],
      [(p) => p.addDevice("dri-try"), (p) => p.removeDevice("dri"), "[Context]\ndevices=dri-try;\n"],
      [(p) => p.addFilesystem("host:ro"), (p) => p.removeFilesystem("host"), "[Context]\nfilesystems=host:ro;\n"],
      [(p) => p.addFilesystem("/a:ro-try"), (p) => p.removeFilesystem("host:reset"), "[Context]\nfilesystems=/a:ro-try;\n"],
      [(p) => p.removeFilesystem("/a"), (p) => p.removeFilesystem("host:reset"), "[Context]\nfilesystems=!/a;\n"],
      [(p) => p.addTalkName("a.b"), (p) => p.removeName("a.b"), "[Session Bus Policy]\na.b=talk\n"],
      [(p) => p.addOwnName("a.b.*"), (p) => p.removeName("a.b.*"), "[Session Bus Policy]\na.b.*=own\n"],
      [(p) => p.addSeeName("a.b"), (p) => p.removeName("a.b"), "[Session Bus Policy]\na.b=see\n"],
      [(p) => p.addSystemTalkName("a.b"), (p) => p.removeSystemName("a.b"), "[System Bus Policy]\na.b=talk\n"],
      [(p) => p.addSystemOwnName("a.b"), (p) => p.removeSystemName("a.b"), "[System Bus Policy]\na.b=own\n"],
      [(p) => p.addSystemSeeName("a.b"), (p) => p.removeSystemName("a.b"), "[System Bus Policy]\na.b=see\n"],
      [(p) => p.allowPortals(), (p) => p.disallowPortals(), "[Context]\nfeatures=portals;\n"],
      [(p) => p.allowA11y(), (p) => p.disallowA11y(), "[Context]\nfeatures=a11y;\n"],
      ...limits.map((kind) => [(p: SandboxPermissions) => p.setLimit(kind, 7), (p: SandboxPermissions) => p.removeLimit(kind), `[Limits]\n${kind}=7${suffixes[kind] ?? ""}\n`] as const),
      [(p) => p.setSyscalls(["~@clock"], "EACCES"), (p) => p.setSyscalls([]), "[Syscalls]\nfilter=~@clock;\nerrno=EACCES\n"],
    ];
    for (const [add, remove, text] of steps) {
      const permissions = new SandboxPermissions();
      assert.equal(add(permissions), permissions);
      assert.equal(permissions.toKeyFile(), text);
      assert.equal(remove(permissions), permissions);
      assert.equal(permissions.toKeyFile(), "", text);
      remove(permissions);
      assert.ok(permissions.equals(new SandboxPermissions()));
    }
    assert.equal(new SandboxPermissions().setEnv("A", "1").toKeyFile(), "[Environment]\nA=1\n");
    assert.equal(new SandboxPermissions().setEnv("A", "1").unsetEnv("A").toKeyFile(), "[Context]\nunset-environment=A;\n");
  });

  it("have names for GJS that come from these by node-gtk's rule", () => {
    const names = Object.getOwnPropertyNames(SandboxPermissions.prototype).filter((name) => name !== "constructor");
    for (const name of [...names, "fromKeyFile"]) {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      assert.equal(snake.replace(/_([a-z0-9])/g, (_whole, letter: string) => letter.toUpperCase()), name);
    }
  });

  it("take away no name that another grant covers, since no bus filter can", () => {
    const permissions = new SandboxPermissions().addTalkName("a.b.*").addSystemTalkName("c.d.*").allowPortals();
    for (const name of ["a.b", "a.b.c", "a.b.c.*"]) {
      assert.throws(() => permissions.removeName(name), isInvalid(/cannot be taken away while “a\.b\.\*” is granted/));
    }
    assert.throws(() => permissions.removeName("org.freedesktop.portal.Flatpak"), isInvalid(/org\.freedesktop\.portal\.\*/));
    assert.throws(() => permissions.removeSystemName("c.d"), isInvalid(/c\.d\.\*/));
    permissions.removeName("c.d").removeSystemName("a.b").removeSystemName("org.freedesktop.portal.X").removeName("a.b.*").removeName("a.b");
    assert.equal(permissions.snapshot().sessionBus.size, 0);
  });

  it("grant a path to read and write, or to read; the last word on a path counts", () => {
    const permissions = new SandboxPermissions()
      .addFilesystem("/a")
      .addFilesystem("/b:ro")
      .addFilesystem("//c/./d/:rw")
      .addFilesystem("/a:ro");
    assert.deepEqual(permissions.snapshot().filesystems, [
      { path: "/a", mode: "ro" },
      { path: "/b", mode: "ro" },
      { path: "/c/d", mode: "rw" },
    ]);
  });

  it("take a colon in a path that is no mode", () => {
    assert.deepEqual(new SandboxPermissions().addFilesystem("/a:b").snapshot().filesystems, [{ path: "/a:b", mode: "rw" }]);
  });

  it("refuse paths that cannot be granted, and say why", () => {
    const refused: readonly [string, RegExp][] = [
      ["relative", /absolute/],
      ["", /absolute/],
      ["/a/../b", /“\.\.”/],
      ["/", /root/],
      ["/.", /root/],
      ["/proc", /\/proc of its own/],
      ["/sys/kernel:ro", /\/sys of its own/],
      ["/dev/null", /\/dev of its own/],
      ["/a\0b", /NUL/],
    ];
    for (const [path, pattern] of refused) {
      assert.throws(() => new SandboxPermissions().addFilesystem(path), isInvalid(pattern), path);
    }
    assert.throws(() => new SandboxPermissions().addFilesystemFd(3, "ro", "/proc/x"), isInvalid(/\/proc/));
    assert.throws(() => new SandboxPermissions().addFilesystemFd(-1, "ro"), TypeError);
  });

  it("refuse words that they do not have", () => {
    assert.throws(() => new SandboxPermissions().share("everything" as Share), isInvalid(/network or ipc.*everything/));
    assert.throws(() => new SandboxPermissions().setLimit("pain" as Limit, 1), isInvalid(/memory.*pain/));
    assert.throws(() => new SandboxPermissions().setLimit("memory", -1), isInvalid(/whole number/));
    assert.throws(() => new SandboxPermissions().removeLimit("pain" as Limit), isInvalid(/memory.*pain/));
    assert.throws(() => new SandboxPermissions().unshare("everything" as Share), isInvalid(/network or ipc/));
    assert.throws(() => new SandboxPermissions().addSocket("\u001b" as Socket), isInvalid(/x11, .*\\u\{1b\}/));
    assert.throws(() => new SandboxPermissions().removeSocket("x11-try" as Socket), isInvalid(/x11-try/));
    assert.throws(() => new SandboxPermissions().addDevice("gpu" as Device), isInvalid(/dri, .*gpu/));
    assert.throws(() => new SandboxPermissions().removeDevice("gpu" as Device), isInvalid(/dri, .*gpu/));
    assert.throws(() => new SandboxPermissions().addFilesystemFd(0, "create" as "rw"), isInvalid(/ro or rw/));
    assert.throws(() => new SandboxPermissions().addTalkName("org"), isInvalid(/name on the bus/));
    assert.throws(() => new SandboxPermissions().setEnv("A=B", "x"), isInvalid(/name of a variable.*A=B/));
    assert.throws(() => new SandboxPermissions().setEnv("A", "x\0y"), isInvalid(/NUL/));
    assert.throws(() => new SandboxPermissions().setEnv("A", "\ud800"), isInvalid(/surrogate/));
    assert.throws(() => new SandboxPermissions().setEnv("A", "\fx"), isInvalid(/form feed/));
    assert.throws(() => new SandboxPermissions().unsetEnv(""), isInvalid(/name of a variable/));
    assert.throws(() => new SandboxPermissions().setSyscalls(["-"], "E"), isInvalid(/an error such as EPERM/));
  });

  it("cannot be changed once they are frozen, but copied", () => {
    const permissions = new SandboxPermissions().share("network").addFilesystem("/a").setLimit("core", 0).freeze();
    assert.equal(permissions.isFrozen, true);
    const changes: readonly (() => unknown)[] = [
      () => permissions.share("ipc"),
      () => permissions.unshare("ipc"),
      () => permissions.addSocket("x11"),
      () => permissions.removeSocket("x11"),
      () => permissions.addDevice("dri"),
      () => permissions.removeDevice("dri"),
      () => permissions.addFilesystem("/b"),
      () => permissions.removeFilesystem("/b"),
      () => permissions.removeFilesystem("host:reset"),
      () => permissions.addFilesystemFd(1, "ro"),
      () => permissions.addTalkName("a.b"),
      () => permissions.addOwnName("a.b"),
      () => permissions.addSeeName("a.b"),
      () => permissions.removeName("a.b"),
      () => permissions.addSystemTalkName("a.b"),
      () => permissions.addSystemOwnName("a.b"),
      () => permissions.addSystemSeeName("a.b"),
      () => permissions.removeSystemName("a.b"),
      () => permissions.allowPortals(),
      () => permissions.disallowPortals(),
      () => permissions.allowA11y(),
      () => permissions.disallowA11y(),
      () => permissions.setEnv("A", "1"),
      () => permissions.unsetEnv("A"),
      () => permissions.setLimit("core", 1),
      () => permissions.removeLimit("core"),
      () => permissions.setSyscalls([]),
      () => permissions.applyKeyFile(""),
    ];
    const before = permissions.toKeyFile();
    for (const change of changes) assert.throws(change, TypeError);
    assert.equal(permissions.toKeyFile(), before);
    const copy = permissions.copy();
    assert.equal(copy.isFrozen, false);
    assert.deepEqual(copy.snapshot(), permissions.snapshot());
    copy.addFilesystem("/b").addSocket("x11").addTalkName("a.b").setEnv("A", "1").addFilesystemFd(0, "ro");
    assert.equal(permissions.toKeyFile(), before);
    assert.equal(permissions.snapshot().filesystems.length, 1);
  });

  it("are not changed through their snapshot", () => {
    const permissions = new SandboxPermissions().share("ipc").addFilesystemFd(0, "ro", "/x");
    (permissions.snapshot().shared as Set<Share>).add("network");
    (permissions.snapshot().filesystemDescriptors as unknown[]).pop();
    assert.equal(permissions.snapshot().shared.size + permissions.snapshot().filesystemDescriptors.length, 2);
  });

  it("are equal in whatever order they were given", () => {
    const one = new SandboxPermissions().share("ipc").share("network").addFilesystem("/a").addFilesystem("/b:ro").addFilesystemFd(3, "ro").addFilesystemFd(4, "rw", "/x");
    const other = new SandboxPermissions().addFilesystemFd(4, "rw", "/x").addFilesystemFd(3, "ro").addFilesystem("/b:ro").addFilesystem("/a").share("network").share("ipc");
    assert.ok(one.equals(other));
    assert.ok(one.equals(one.copy().freeze()));
    assert.ok(!one.equals(other.copy().addFilesystem("/a:ro")));
    assert.ok(!one.equals(other.copy().addFilesystemFd(5, "ro")));
    assert.ok(!new SandboxPermissions().addFilesystemFd(3, "ro").equals(new SandboxPermissions().addFilesystemFd(3, "rw")));
    assert.ok(!new SandboxPermissions().addSocket("x11").equals(new SandboxPermissions().addSocket("x11-try")));
  });

  it("are shown to a person with control characters escaped, descriptors included", () => {
    const permissions = new SandboxPermissions().addFilesystem("/a\u001b[2J\u202e:ro").setEnv("A", "\u0007").addFilesystemFd(3, "rw", "/x\u001b");
    const shown = String(permissions);
    assert.equal(shown, "# descriptor 3, rw, at /x\\u{1b}\n[Context]\nfilesystems=/a\\u{1b}[2J\\u{202e}:ro;\n\n[Environment]\nA=\\u{7}\n");
    assert.equal(String(new SandboxPermissions()), "");
    assert.match(String(new SandboxPermissions().addFilesystemFd(3, "ro")), /^# descriptor 3, ro, at its path on the host\n$/);
    assert.throws(() => permissions.toKeyFile(), isInvalid(/descriptor 3 is granted/));
  });
});

const suffixes: Partial<Record<Limit, string>> = { "cpu-time": "s", timeout: "ms" };

describe("the data of permissions", () => {
  it("are the same object for all that were never changed, once they are frozen, and for no other", () => {
    const nothing = new SandboxPermissions().freeze().snapshot();
    assert.equal(new SandboxPermissions().copy().freeze().snapshot(), nothing);
    assert.notEqual(new SandboxPermissions().snapshot(), nothing);
    const changed = new SandboxPermissions().share("network");
    assert.notEqual(changed.copy().freeze().snapshot(), nothing);
    assert.notEqual(changed.unshare("network").freeze().snapshot(), nothing);
    assert.deepEqual(new SandboxPermissions().snapshot(), nothing);
  });
});
