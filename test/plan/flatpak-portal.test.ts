import assert from "node:assert/strict";
import type { FlatpakConfinement } from "../../src/confinement/confinement.js";
import { parseFlatpakInfo } from "../../src/confinement/flatpak-info.js";
import { HelloFlag, Section } from "../../src/init/protocol.js";
import type { PermissionSet } from "../../src/permissions/permission-set.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import type { PortalMount, PortalPlan, PortalRequest } from "../../src/plan/flatpak-portal.js";
import { planFlatpakPortal, planOpenFlatpakPortal, SpawnFlag } from "../../src/plan/flatpak-portal.js";
import { SandboxFlag } from "../../src/plan/flatpak-portal-permissions.js";
import { compileSyscallPolicy } from "../../src/seccomp/compile-policy.js";
import { GLibError, SandboxError } from "../../src/subprocess/glib-error.js";
import type { CommandRequest } from "../../src/subprocess/launch-request.js";

/** An application that holds what stands in `context`, beside the network. */
function app(context = "shared=network;", instance = "instance-id=1"): FlatpakConfinement {
  const info = parseFlatpakInfo(`[Application]\nname=org.example.App\n[Instance]\n${instance}\n[Context]\n${context}\n`);
  assert.ok(info !== null);
  return { kind: "flatpak", info, isTrusted: false };
}

const nothing = new SandboxPermissions().snapshot();

const command: CommandRequest = {
  argv: ["program", "secret-argument"],
  environment: ["SECRET=1"],
  directory: "/secret-directory",
  searchPath: "/app/bin:/usr/bin",
  timeout: null,
  descriptors: [],
};

const request: PortalRequest = {
  app: app(),
  portal: { version: 6, supportsExposedPids: true },
  permissions: nothing,
  mounts: [],
  initPath: "/app/lib/gio-sandbox/dist/native/x86_64/gio-sandbox-init",
  label: "label",
};

function plan(changes: Partial<PortalRequest> = {}, commandChanges: Partial<CommandRequest> = {}): PortalPlan {
  return planFlatpakPortal({ ...request, ...changes }, { ...command, ...commandChanges });
}

function permissions(changes: Partial<PermissionSet>): { readonly permissions: PermissionSet } {
  return { permissions: { ...nothing, ...changes } };
}

function mount(path: string, changes: Partial<PortalMount> = {}): PortalMount {
  return { path, realPath: path, writable: false, isWritableHere: true, device: 1n, inode: 2n, ...changes };
}

function refusal(code: keyof typeof SandboxError, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof GLibError, String(error));
    assert.ok(error.matches("gio-sandbox-error-quark", SandboxError[code]), error.message);
    assert.match(error.message, pattern);
    return true;
  };
}

const versions = [3, 4, 5, 6, 7, 8];

describe("the plan of a sandbox of the portal's", () => {
  for (const version of versions) {
    it(`always sandboxes, watches the bus, and has no network, with version ${version}`, () => {
      for (const supportsExposedPids of [true, false]) {
        const { flags } = plan({ portal: { version, supportsExposedPids } }).spawn;
        assert.equal(
          flags,
          SpawnFlag.SANDBOX | SpawnFlag.NO_NETWORK | SpawnFlag.WATCH_BUS |
            (version >= 4 ? SpawnFlag.NOTIFY_START : 0) | (supportsExposedPids ? SpawnFlag.EXPOSE_PIDS : 0),
        );
      }
    });
  }

  it("is made for a version that is newer than what is known", () => {
    assert.equal(plan({ portal: { version: 99, supportsExposedPids: true } }).spawn.flags, plan().spawn.flags);
  });

  it("never clears the environment by the portal's broken flag, and gives it none: init starts from an empty one", () => {
    const { spawn } = plan();
    assert.equal(spawn.flags & 1, 0);
    assert.deepEqual([...spawn.environment], []);
  });

  it("has nothing of the child in what the portal and flatpak see", () => {
    const { spawn, frames } = plan({}, { descriptors: [{ target: 0, source: 0 }] });
    assert.deepEqual(spawn.argv, [request.initPath, "3", "label"]);
    assert.equal(spawn.directory, "/");
    assert.ok(new TextDecoder("latin1").decode(frames).includes("secret-argument"));
  });

  it("maps descriptors 0 to 2, never to the child's, which may be a terminal", () => {
    const { spawn, sources } = plan({}, { descriptors: [0, 1, 2].map((target) => ({ target, source: target })) });
    const kinds = [0, 1, 2, 3].map((number) => spawn.descriptors[spawn.numbers.get(number) ?? -1]?.kind);
    assert.deepEqual(kinds, ["null", "null", "diagnostics", "control"]);
    assert.ok(spawn.descriptors.every(({ kind }) => kind !== "child"));
    assert.deepEqual(sources, [0, 1, 2]);
  });

  it("gives each number a descriptor of its own, since the portal closes what it has given once", () => {
    const places = [...plan({ initPath: "/home/me/init" }).spawn.numbers.values()];
    assert.equal(new Set(places).size, places.length);
  });

  it("sends the child's descriptors to init, once each, so that no message of the bus limits them", () => {
    const descriptors = Array.from({ length: 100 }, (_, index) => ({ target: index, source: index % 50 }));
    const { spawn, sources } = plan({}, { descriptors });
    assert.equal(spawn.descriptors.length, 4);
    assert.deepEqual(sources, Array.from({ length: 50 }, (_, index) => index));
  });

  it("refuses descriptors that no child could have", () => {
    assert.throws(
      () => plan({}, { descriptors: [{ target: 1024, source: 0 }] }),
      (error) => error instanceof GLibError && error.domain === "g-exec-error-quark",
    );
  });

  for (const [path, isGiven] of [
    ["/app/lib/gio-sandbox/init", false],
    ["/usr/libexec/gio-sandbox-init", false],
    ["/application/init", true],
    ["/home/me/src/dist/native/x86_64/gio-sandbox-init", true],
  ] as const) {
    it(`${isGiven ? "gives init along" : "starts init at its path"} when it is ${path}`, () => {
      const { argv, descriptors, numbers } = plan({ initPath: path }).spawn;
      assert.equal(argv[0], isGiven ? "/proc/self/fd/4" : path);
      assert.equal(descriptors.some(({ kind }) => kind === "init"), isGiven);
      if (isGiven) assert.equal(descriptors[numbers.get(4) ?? -1]?.kind, "init");
    });
  }

  it("tells init that it is not pid 1, and that the sandbox is for one process or kept", () => {
    const flagsOf = ({ frames }: PortalPlan): number => new DataView(frames.buffer, frames.byteOffset).getUint32(20, true);
    assert.equal(flagsOf(plan()), HelloFlag.NOT_PID_1 | HelloFlag.SINGLE_USE);
    assert.equal(flagsOf(planOpenFlatpakPortal(request, 0)), HelloFlag.NOT_PID_1);
    assert.equal(flagsOf(planOpenFlatpakPortal(request, HelloFlag.SINGLE_USE)), HelloFlag.NOT_PID_1 | HelloFlag.SINGLE_USE);
  });

  describe("with files", () => {
    it("exposes their descriptors at the host's path, and has init compare what came of it", () => {
      const mounts = [mount("/srv/data"), mount("/home/me/file", { writable: true })];
      const { spawn, frames } = plan({ mounts });
      assert.deepEqual(spawn.exposedReadOnly.map((place) => spawn.descriptors[place]), [{ kind: "granted", index: 0 }]);
      assert.deepEqual(spawn.exposed.map((place) => spawn.descriptors[place]), [{ kind: "granted", index: 1 }]);
      assert.equal(identities(frames), 2);
    });

    it("takes what is below /app and /usr to be there, and has init compare it", () => {
      const { spawn, frames } = plan({ mounts: [mount("/app/share/x", { isWritableHere: false }), mount("/usr/share/y"), mount("/lib/z")] });
      assert.equal(spawn.descriptors.length, 4);
      assert.deepEqual([spawn.exposed, spawn.exposedReadOnly], [[], []]);
      assert.equal(identities(frames), 3);
    });

    it("refuses to let anything write below /app and /usr", () => {
      for (const path of ["/app", "/app/share/x", "/usr/share/y", "/lib64/z"]) {
        assert.throws(() => plan({ mounts: [mount(path, { writable: true })] }), refusal("NOT_ENFORCEABLE", /read only/));
      }
    });

    it("refuses another place than the host's", () => {
      const mounts = [mount("/inside", { realPath: "/srv/data" })];
      assert.throws(() => plan({ mounts }), refusal("NOT_ENFORCEABLE", /“\/inside” is “\/srv\/data”.*under its own path/));
      assert.throws(() => plan({ mounts: [mount("/x", { realPath: null })] }), refusal("NOT_ENFORCEABLE", /no path on the host/));
    });

    it("refuses to let the child write where the application only reads", () => {
      assert.throws(
        () => plan({ mounts: [mount("/srv/data", { writable: true, isWritableHere: false })] }),
        refusal("NOT_PERMITTED", /can only read “\/srv\/data”/),
      );
      assert.equal(plan({ mounts: [mount("/srv/data", { isWritableHere: false })] }).spawn.exposedReadOnly.length, 1);
    });

    for (const path of ["/tmp/x", "/var/tmp/x", "/run/user/1000/doc/1/x", "/etc/passwd", "/run/host/etc"]) {
      it(`refuses ${path}, which is the instance's alone`, () => {
        assert.throws(() => plan({ mounts: [mount(path)] }), refusal("NOT_ENFORCEABLE", /application's alone/));
      });
    }

    it("takes what the application was granted there, and removable media", () => {
      const holder = app("shared=network;\nfilesystems=/tmp/shared:ro;/var/lib/data;home;");
      const mounts = ["/tmp/shared", "/tmp/shared/x", "/var/lib/data/x", "/run/media/me/stick", "/home/me"].map((path) => mount(path));
      assert.equal(plan({ app: holder, mounts }).spawn.exposedReadOnly.length, 5);
      assert.throws(() => plan({ app: holder, mounts: [mount("/tmp/shared2")] }), refusal("NOT_ENFORCEABLE", /alone/));
    });

    it("takes the application's own directory, wherever the home directory is", () => {
      const holder = app("", "instance-id=1\ninstance-path=/tmp/home/.var/app/org.example.App");
      const mounts = [mount("/tmp/home/.var/app/org.example.App/cache/x")];
      assert.equal(plan({ app: holder, mounts }).spawn.exposedReadOnly.length, 1);
      assert.throws(() => plan({ app: holder, mounts: [mount("/tmp/home/x")] }), refusal("NOT_ENFORCEABLE", /alone/));
    });

    it("takes 12 with an installed init and 11 without, and refuses one more before anything is sent", () => {
      const mounts = (count: number): PortalMount[] => Array.from({ length: count }, (_, index) => mount(`/srv/${index}`));
      assert.equal(plan({ mounts: mounts(12) }).spawn.descriptors.length, 16);
      assert.throws(() => plan({ mounts: mounts(13) }), refusal("LIMIT_EXCEEDED", /at most 12 paths at once, not 13/));
      const initPath = "/home/me/init";
      assert.equal(plan({ mounts: mounts(11), initPath }).spawn.descriptors.length, 16);
      assert.throws(() => plan({ mounts: mounts(12), initPath }), refusal("LIMIT_EXCEEDED", /at most 11 paths at once, not 12/));
    });
  });

  describe("with shares", () => {
    it("keeps the network when it is granted and held", () => {
      assert.equal(plan(permissions({ shared: new Set(["network"]) })).spawn.flags & SpawnFlag.NO_NETWORK, 0);
    });

    it("refuses a network that the application does not hold", () => {
      assert.throws(
        () => plan({ ...permissions({ shared: new Set(["network"]) }), app: app("shared=ipc;") }),
        refusal("NOT_PERMITTED", /--share=network.*flatpak override --share=network/),
      );
    });

    it("refuses IPC that the application does not hold, and what it holds without X11", () => {
      const ipc = permissions({ shared: new Set(["ipc"]) });
      assert.throws(() => plan(ipc), refusal("NOT_PERMITTED", /--share=ipc/));
      assert.throws(() => plan({ ...ipc, app: app("shared=ipc;") }), refusal("NOT_ENFORCEABLE", /only along with X11/));
    });
  });

  describe("with a display", () => {
    it("shares it when exactly that is held", () => {
      for (const held of [["wayland"], ["x11"], ["wayland", "fallback-x11"]] as const) {
        const holder = app(`sockets=${held.join(";")};`);
        const { sandboxFlags } = plan({ ...permissions({ sockets: new Set(held) }), app: holder }).spawn;
        assert.equal(sandboxFlags, SandboxFlag.SHARE_DISPLAY);
      }
    });

    it("refuses one that is not held", () => {
      assert.throws(
        () => plan({ ...permissions({ sockets: new Set(["x11"]) }), app: app("sockets=wayland;") }),
        refusal("NOT_PERMITTED", /--socket=x11/),
      );
    });

    it("refuses one when the portal would give another along", () => {
      assert.throws(
        () => plan({ ...permissions({ sockets: new Set(["wayland"]) }), app: app("sockets=wayland;x11;") }),
        refusal("NOT_ENFORCEABLE", /besides those asked for that would be x11/),
      );
    });

    it("refuses X11 when the portal would give the host's IPC along, unless that is asked for too", () => {
      const holder = app("shared=ipc;\nsockets=x11;");
      const sockets = new Set(["x11"] as const);
      assert.throws(() => plan({ ...permissions({ sockets }), app: holder }), refusal("NOT_ENFORCEABLE", /--share=ipc too/));
      const both = permissions({ sockets, shared: new Set(["ipc"]) });
      assert.equal(plan({ ...both, app: holder }).spawn.sandboxFlags, SandboxFlag.SHARE_DISPLAY);
    });
  });

  it("shares the sound when it is held", () => {
    const sound = permissions({ sockets: new Set(["pulseaudio"]) });
    assert.equal(plan({ ...sound, app: app("sockets=pulseaudio;") }).spawn.sandboxFlags, SandboxFlag.SHARE_SOUND);
    assert.throws(() => plan(sound), refusal("NOT_PERMITTED", /--socket=pulseaudio/));
  });

  for (const socket of [
    ...(["pipewire", "session-bus", "system-bus", "ssh-auth", "gpg-agent", "pcsc", "cups", "inherit-wayland-socket"] as const),
  ]) {
    it(`refuses --socket=${socket}, which the portal does not know, held or not`, () => {
      const holder = app(`sockets=${socket};`);
      assert.throws(
        () => plan({ ...permissions({ sockets: new Set([socket]) }), app: holder }),
        refusal("NOT_ENFORCEABLE", new RegExp(`--socket=${socket}$`)),
      );
    });
  }

  it("leaves out what the application does not hold if it may be missing, and takes it otherwise", () => {
    const optional = permissions({
      sockets: new Set(["wayland", "pulseaudio", "cups"]),
      optionalSockets: new Set(["wayland", "pulseaudio", "cups"]),
      devices: new Set(["dri", "shm"]),
      optionalDevices: new Set(["dri", "shm"]),
    });
    assert.equal(plan(optional).spawn.sandboxFlags, 0);
    assert.equal(plan({ ...optional, app: app("sockets=pulseaudio;\ndevices=all;") }).spawn.sandboxFlags, SandboxFlag.SHARE_SOUND | SandboxFlag.SHARE_GPU);
    assert.throws(() => plan({ ...optional, app: app("sockets=cups;") }), refusal("NOT_ENFORCEABLE", /--socket=cups$/));
  });

  it("refuses to hide a path where anything of the host is seen", () => {
    const hidden = { hiddenPaths: ["~/.ssh\u001b"] };
    assert.throws(
      () => plan(permissions({ ...hidden, filesystems: [{ path: "home", mode: "ro" }] })),
      refusal("NOT_ENFORCEABLE", /cannot hide “~\/\.ssh\\u\{1b\}”/),
    );
    assert.throws(
      () => plan(permissions({ ...hidden, filesystemDescriptors: [{ fd: 3, mode: "ro", path: null }] })),
      refusal("NOT_ENFORCEABLE", /cannot hide/),
    );
    assert.equal(plan(permissions(hidden)).spawn.sandboxFlags, 0);
  });

  describe("with devices", () => {
    for (const [device, flag, oldest] of [
      ["dri", SandboxFlag.SHARE_GPU, 3],
      ["input", SandboxFlag.SHARE_INPUT, 8],
      ["usb", SandboxFlag.SHARE_USB, 8],
      ["kvm", SandboxFlag.SHARE_KVM, 8],
      ["shm", SandboxFlag.SHARE_SHM, 8],
      ["all", SandboxFlag.SHARE_DEVICES, 8],
    ] as const) {
      for (const version of versions) {
        it(`${version >= oldest ? "gives" : "refuses"} --device=${device} with version ${version}`, () => {
          const changes = {
            ...permissions({ devices: new Set([device]) }),
            app: app(`devices=${device};`),
            portal: { version, supportsExposedPids: true },
          };
          if (version >= oldest) assert.equal(plan(changes).spawn.sandboxFlags, flag);
          else assert.throws(() => plan(changes), refusal("NOT_ENFORCEABLE", /needs version 8 of its interface/));
        });
      }

      it(`refuses --device=${device} when it is not held, and takes “all” for ${device === "shm" ? "none of it" : "it"}`, () => {
        const portal = { version: 8, supportsExposedPids: true };
        const changes = { ...permissions({ devices: new Set([device]) }), portal };
        assert.throws(() => plan(changes), refusal("NOT_PERMITTED", new RegExp(`--device=${device}`)));
        const all = { ...changes, app: app("devices=all;") };
        if (device === "shm") assert.throws(() => plan(all), refusal("NOT_PERMITTED", /--device=shm/));
        else assert.equal(plan(all).spawn.sandboxFlags, flag);
      });
    }
  });

  describe("with buses", () => {
    it("gives the portals, and the accessibility bus", () => {
      assert.equal(plan(permissions({ portals: true })).spawn.sandboxFlags, SandboxFlag.ALLOW_DBUS);
      assert.equal(plan(permissions({ a11y: true })).spawn.sandboxFlags, SandboxFlag.ALLOW_A11Y);
    });

    it("takes a portal's name for what comes with the portals", () => {
      const sessionBus = new Map([["org.freedesktop.portal.Desktop", "talk"], ["org.example.None", "none"]] as const);
      assert.equal(plan(permissions({ portals: true, sessionBus })).spawn.sandboxFlags, SandboxFlag.ALLOW_DBUS);
      assert.throws(() => plan(permissions({ sessionBus })), refusal("NOT_ENFORCEABLE", /org\.freedesktop\.portal\.Desktop/));
    });

    it("refuses every other name, on either bus", () => {
      for (const policy of ["see", "talk", "own"] as const) {
        const names = new Map([["org.example.Name", policy]]);
        assert.throws(() => plan(permissions({ portals: true, sessionBus: names })), refusal("NOT_ENFORCEABLE", /session bus/));
        assert.throws(() => plan(permissions({ portals: true, systemBus: names })), refusal("NOT_ENFORCEABLE", /system bus/));
      }
      const portal = new Map([["org.freedesktop.portal.Mine", "own"]] as const);
      assert.throws(() => plan(permissions({ portals: true, sessionBus: portal })), refusal("NOT_ENFORCEABLE", /portal\.Mine/));
    });
  });

  it("leaves limits to init, but for that of private directories, which the portal does not bound", () => {
    const limits = new Map([["cpu-time", 7], ["open-files", 99]] as const);
    assert.ok(plan(permissions({ limits })).frames.length > plan(permissions({ limits: new Map() })).frames.length);
    assert.throws(() => plan(permissions({ limits: new Map([["tmpfs", 1]]) })), refusal("NOT_ENFORCEABLE", /tmpfs/));
  });

  it("leaves a policy of system calls to init, with the numbers of the application's architecture", () => {
    const policy = { kind: "block", entries: [{ name: "uname", errno: null }], errno: "EPERM" } as const;
    const holder = (architecture: string): FlatpakConfinement => app("", `instance-id=1\narch=${architecture}`);
    const has = (frames: Uint8Array, filter: Uint8Array): boolean => Buffer.from(frames).includes(Buffer.from(filter));
    for (const architecture of ["x86_64", "aarch64"] as const) {
      const filter = compileSyscallPolicy(policy, architecture).child?.bytes ?? assert.fail();
      assert.ok(has(plan({ app: holder(architecture), ...permissions({ syscalls: policy }) }).frames, filter));
      assert.ok(!has(plan({ app: holder(architecture) }).frames, filter));
    }
    const unknown = { app: holder("s390x"), ...permissions({ syscalls: policy }) };
    assert.throws(() => plan(unknown), refusal("NOT_ENFORCEABLE", /“s390x”/));
    plan({ app: holder("s390x") });
  });

  it("is refused for a build, a runtime without an application, and a portal that is too old", () => {
    assert.throws(() => plan({ app: app("", "build=true") }), refusal("NOT_AVAILABLE", /this is a build/));
    const runtime = parseFlatpakInfo("[Runtime]\nname=org.example.Platform\n[Instance]\ninstance-id=1\n");
    assert.ok(runtime !== null);
    assert.throws(() => plan({ app: { ...app(), info: runtime } }), refusal("NOT_AVAILABLE", /without an application/));
    for (const version of [0, 1, 2]) {
      assert.throws(
        () => plan({ portal: { version, supportsExposedPids: false } }),
        refusal("NOT_AVAILABLE", new RegExp(`version ${version}, and 3 or newer`)),
      );
    }
  });

  it("refuses the same for a sandbox that is kept open", () => {
    assert.throws(() => planOpenFlatpakPortal({ ...request, app: app("", "build=true") }, 0), refusal("NOT_AVAILABLE", /build/));
    const changes = permissions({ limits: new Map([["tmpfs", 1]]) });
    assert.throws(() => planOpenFlatpakPortal({ ...request, ...changes }, 0), refusal("NOT_ENFORCEABLE", /tmpfs/));
  });
});

/** The IDENTITY sections in the LAUNCH frame behind HELLO. */
function identities(frames: Uint8Array): number {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength);
  let count = 0;
  for (let offset = 24 + 12; offset < view.byteLength; ) {
    if (view.getUint32(offset, true) === Section.IDENTITY) count++;
    offset += 8 + ((view.getUint32(offset + 4, true) + 3) & ~3);
  }
  return count;
}
