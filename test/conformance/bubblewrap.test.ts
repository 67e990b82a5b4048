/** What reports of bubblewrap's sandboxes promise, and what a program in such a sandbox sees: entry by entry. */
import assert from "node:assert/strict";
import { mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadProfile, SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../src/node/index.js";
import { firstProcesses, fixturePermissions, temporaryDirectory, until } from "../node/gsubprocess/children.js";
import { differences, mountDifferences, seenInside, seenOutside } from "./compare.js";
import { startDesktop } from "./desktop.js";
import type { Host } from "./host.js";
import { startHost } from "./host.js";

/** Lets the conformance program be seen in the sandbox, besides what is tested. */
function withProgram(permissions: SandboxPermissions): SandboxPermissions {
  const { filesystems } = fixturePermissions().snapshot();
  filesystems.forEach(({ path }) => permissions.addFilesystem(`${path}:ro`));
  return permissions;
}

describe("a report of a bubblewrap sandbox", function () {
  this.timeout(60_000);
  let host: Host;

  let desktop: AsyncDisposable | null = null;

  before(async () => {
    host = await startHost();
    desktop = await startDesktop();
  });
  after(async () => {
    await desktop?.[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  async function check(launcher: SandboxSubprocessLauncher): Promise<void> {
    const report = launcher.explain();
    const outside = await seenOutside(report, host);
    const sees = async (): Promise<void> => {
      const seen = await seenInside(launcher, host);
      assert.deepEqual(differences(report, seen, outside), []);
      const mounts = mountDifferences(report, seen);
      assert.deepEqual(mounts.seen, mounts.promised);
    };
    await sees();
    if (launcher.sandbox !== null) return;
    // and in a sandbox that was ready before, which may be made in another way
    launcher.prewarm(2);
    await until(() => firstProcesses().length >= 2);
    await sees();
    launcher.prewarm(0);
    await until(() => firstProcesses().length === 0);
  }

  function launcherWith(permissions: SandboxPermissions): SandboxSubprocessLauncher {
    return new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions: withProgram(permissions) });
  }

  it("is what a child sees that was granted nothing", async () => {
    await check(launcherWith(new SandboxPermissions()));
  });

  it("is what a child sees with the network", async () => {
    await check(launcherWith(new SandboxPermissions().share("network")));
  });

  it("is what a child sees with IPC", async () => {
    await check(launcherWith(new SandboxPermissions().share("ipc")));
  });

  for (const mode of ["ro", "rw"] as const) {
    it(`is what a child sees with a file and directories of the host (${mode})`, async () => {
      using directory = temporaryDirectory();
      const [file, folder] = [join(directory.path, "file"), join(directory.path, "folder")];
      writeFileSync(file, "text");
      mkdirSync(folder);
      await check(launcherWith(new SandboxPermissions().addFilesystem(`${file}:${mode}`).addFilesystem(`${folder}:${mode}`)));
    });
  }

  for (const socket of ["x11", "fallback-x11", "wayland", "pulseaudio", "pipewire", "session-bus", "system-bus", "ssh-auth"] as const) {
    it(`is what a child sees with the socket ${socket}`, async () => {
      await check(launcherWith(new SandboxPermissions().addSocket(socket)));
    });
  }

  it("is what a child sees with an X display and the network", async () => {
    await check(launcherWith(new SandboxPermissions().addSocket("x11").share("network")));
  });

  it("is what a child sees with names on the buses", async () => {
    const names = new SandboxPermissions().addTalkName("org.example.One").addSeeName("org.example.Two").addOwnName("org.example.Own");
    await check(launcherWith(names.addSystemTalkName("org.example.One")));
  });

  it("is what a child sees with the portals", async () => {
    await check(launcherWith(new SandboxPermissions().allowPortals()));
  });

  it("is what a child sees with the accessibility bus", async () => {
    await check(launcherWith(new SandboxPermissions().allowA11y()));
  });

  for (const device of ["dri", "input", "kvm", "shm", "usb", "all"] as const) {
    it(`is what a child sees with the device ${device}`, async () => {
      await check(launcherWith(new SandboxPermissions().addDevice(`${device}-try`)));
    });
  }

  for (const word of ["home", "host-etc", "host-os", "host-fonts", "xdg-pictures:create", "xdg-config:ro-try"]) {
    it(`is what a child sees with the file system ${word}`, async () => {
      await check(launcherWith(new SandboxPermissions().addFilesystem(word)));
    });
  }

  for (const [limit, value] of [
    ["address-space", 1 << 30],
    ["cpu-time", 100],
    ["file-size", 1 << 24],
    ["open-files", 200],
    ["memory", 1 << 29],
    ["processes", 50],
    ["core", 1 << 20],
    ["tmpfs", 1 << 24],
  ] as const) {
    it(`is what a child sees with the limit ${limit}`, async () => {
      await check(launcherWith(new SandboxPermissions().setLimit(limit, value)));
    });
  }

  for (const [name, calls] of [
    ["more calls refused", ["~socket:EACCES", "shmget", "setresuid:ENOSYS"]],
    ["only the calls of services allowed", ["@system-service"]],
    ["only the calls of services and some more allowed", ["@system-service", "@mount", "ptrace", "unshare", "personality"]],
  ] as const) {
    it(`is what a child sees with ${name}`, async () => {
      await check(launcherWith(new SandboxPermissions().setSyscalls(calls)));
    });
  }

  for (const profile of ["strict", "thumbnailer", "image-loader", "web-content", "meson-test"]) {
    it(`is what a child sees with the profile ${profile}`, async () => {
      await check(launcherWith(loadProfile(profile)));
    });
  }

  it("is what a child sees with variables, a working directory and descriptors of its own", async () => {
    using launcher = launcherWith(new SandboxPermissions());
    launcher.setenv("A", "1", true);
    launcher.unsetenv("LANG");
    launcher.setCwd("/usr/share");
    launcher.takeFd(openSync("/dev/null", "r"), 9);
    await check(launcher);
  });

  it("is what a child sees in a sandbox that is kept open", async () => {
    await using sandbox = await launcherWith(new SandboxPermissions()).openSandboxAsync();
    await check(new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, sandbox }));
  });
});
