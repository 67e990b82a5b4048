import assert from "node:assert/strict";
import type { FlatpakConfinement } from "../../src/confinement/confinement.js";
import { parseFlatpakInfo } from "../../src/confinement/flatpak-info.js";
import { encodeLaunch } from "../../src/init/encode.js";
import { Origin } from "../../src/init/protocol.js";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import type { PortalMount, PortalRequest } from "../../src/plan/flatpak-portal.js";
import { planFlatpakPortal } from "../../src/plan/flatpak-portal.js";
import type { FlatpakSpawnPlan } from "../../src/plan/flatpak-spawn.js";
import { planFlatpakSpawn } from "../../src/plan/flatpak-spawn.js";
import { launchOrder } from "../../src/plan/process-launch.js";
import { GLibError, SandboxError } from "../../src/subprocess/glib-error.js";
import type { CommandRequest } from "../../src/subprocess/launch-request.js";

function app(context = "shared=network;"): FlatpakConfinement {
  const info = parseFlatpakInfo(`[Application]\nname=org.example.App\n[Instance]\ninstance-id=1\n[Context]\n${context}\n`);
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
  initPath: "/app/gio-sandbox-init",
  label: "label",
};

function plan(changes: Partial<PortalRequest> = {}, commandChanges: Partial<CommandRequest> = {}): FlatpakSpawnPlan {
  return planFlatpakSpawn({ ...request, ...changes }, { ...command, ...commandChanges });
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

describe("the plan of a sandbox that flatpak-spawn asks for", () => {
  it("has nothing of the child in what others see, and no network", () => {
    const { argv, descriptors } = plan();
    const options = ["--sandbox", "--no-network", "--expose-pids", "--directory=/", "--forward-fd=3"];
    assert.deepEqual(argv, [...options, "/app/gio-sandbox-init", "3", "label"]);
    assert.deepEqual(descriptors.map(({ kind }) => kind), ["null", "null", "diagnostics", "control"]);
  });

  it("has the network that is granted, and process ids where they can be exposed", () => {
    const permissions = new SandboxPermissions().share("network").snapshot();
    const portal = { version: 6, supportsExposedPids: false };
    assert.deepEqual(plan({ permissions, portal }).argv.slice(0, 2), ["--sandbox", "--directory=/"]);
  });

  it("gives the child's descriptors to init, each once, under numbers behind init's own", () => {
    const mapping = [
      { target: 0, source: 2 },
      { target: 1, source: 0 },
      { target: 2, source: 2 },
    ];
    const { argv, descriptors, frames } = plan({ initPath: "/home/me/init" }, { descriptors: mapping });
    assert.deepEqual(descriptors.slice(3), [
      { kind: "control" },
      { kind: "init" },
      { kind: "child", index: 2 },
      { kind: "child", index: 0 },
    ]);
    assert.deepEqual(argv.filter((word) => word.startsWith("--forward-fd")), [3, 4, 5, 6].map((number) => `--forward-fd=${number}`));
    assert.deepEqual(argv.slice(-3), ["/proc/self/fd/4", "3", "label"]);
    const order = launchOrder(
      { process: 1, command: { ...command, descriptors: mapping }, permissions: nothing, mounts: [], filters: [] },
      Origin.INHERITED,
      (source) => (source === 2 ? 5 : 6),
    );
    assert.deepEqual(frames.slice(-encodeLaunch(order).length), encodeLaunch(order));
  });

  it("tells init the same as without flatpak-spawn where the child has no descriptors", () => {
    const mounts = [mount("/home/me/read")];
    assert.deepEqual(plan({ mounts }).frames, planFlatpakPortal({ ...request, mounts }, command).frames);
  });

  it("names granted paths, which init compares, but not those that are in every sandbox", () => {
    const mounts = [mount("/home/me/read"), mount("/home/me/write", { writable: true }), mount("/usr/share")];
    const { argv, frames } = plan({ mounts });
    assert.deepEqual(argv.filter((word) => word.includes("expose-path")), [
      "--sandbox-expose-path=/home/me/write",
      "--sandbox-expose-path-ro=/home/me/read",
    ]);
    const text = new TextDecoder("latin1").decode(frames);
    for (const { path } of mounts) assert.ok(text.includes(`${path}\0`), path);
  });

  it("has a word for each flag that flatpak-spawn knows, and refuses the others", () => {
    const held = app("shared=network;ipc;\nsockets=x11;wayland;pulseaudio;\ndevices=all;shm;");
    const permissions = new SandboxPermissions().share("ipc").allowPortals().allowA11y();
    for (const socket of ["x11", "wayland", "pulseaudio"] as const) permissions.addSocket(socket);
    permissions.addDevice("dri");
    const { argv } = plan({ app: held, permissions: permissions.snapshot() });
    const words = ["share-display", "share-sound", "share-gpu", "allow-dbus", "allow-a11y"];
    assert.deepEqual(argv.filter((word) => word.startsWith("--sandbox-flag=")), words.map((word) => `--sandbox-flag=${word}`));
    const kvm = new SandboxPermissions().addDevice("kvm").snapshot();
    const portal = { version: 8, supportsExposedPids: true };
    assert.throws(() => plan({ app: held, permissions: kvm, portal }), refusal("NOT_ENFORCEABLE", /--device=dri.*Install koffi/));
  });

  it("has no more than one message carries: descriptors and paths together", () => {
    const descriptors = Array.from({ length: 10 }, (_, index) => ({ target: index, source: index }));
    const mounts = Array.from({ length: 3 }, (_, index) => mount(`/home/me/${index}`));
    assert.equal(plan({ mounts: mounts.slice(1) }, { descriptors }).descriptors.length, 14);
    assert.throws(() => plan({ mounts }, { descriptors }), refusal("LIMIT_EXCEEDED", /at most 16 descriptors, not 17\. Install koffi/));
  });

  it("is refused as it is without flatpak-spawn", () => {
    assert.throws(() => plan({ mounts: [mount("/tmp/file")] }), refusal("NOT_ENFORCEABLE", /this application's alone/));
    assert.throws(() => plan({ portal: { version: 2, supportsExposedPids: false } }), refusal("NOT_AVAILABLE", /version 2/));
    assert.throws(
      () => plan({}, { descriptors: [{ target: 1024, source: 0 }] }),
      (error) => error instanceof GLibError && error.domain === "g-exec-error-quark",
    );
  });
});
