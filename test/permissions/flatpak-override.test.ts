import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { temporaryDirectory } from "../node/gsubprocess/children.js";
import { Random } from "./random.js";

type Step = readonly [option: string, apply: (permissions: SandboxPermissions) => unknown];

const APPLICATION = "org.example.App";

/** What `flatpak override` writes for these options, in a home of its own. */
function overrideFile(directory: string, options: readonly string[]): string {
  const environment = { PATH: process.env["PATH"] ?? "", HOME: directory, XDG_DATA_HOME: join(directory, "data"), LC_ALL: "C.UTF-8" };
  const { status, stderr } = spawnSync("flatpak", ["override", "--user", ...options, APPLICATION], { env: environment, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return readFileSync(join(directory, "data/flatpak/overrides", APPLICATION), "utf8");
}

const shared = ["network", "ipc"] as const;
// x11 and fallback-x11 are one thing to us, of which the later word counts; to Flatpak the fallback always does
const sockets = ["wayland", "fallback-x11", "pulseaudio", "system-bus", "session-bus", "ssh-auth", "pcsc", "cups", "gpg-agent"] as const;
const devices = ["dri", "kvm", "shm", "all"] as const;
const paths = ["/a", "/b c;d", "~/x", "home/y", "home", "~", "host", "host-os", "host-etc", "xdg-music", "xdg-config/a", "xdg-run/b", "/c//d/"];
const names = ["org.foo", "org.bar.Baz", "org.qux.*"];
const values = ["", " x ", "a;b", "\\n", "ä", "x\ty", "a=b"];

const steps: readonly Step[] = [
  ...shared.flatMap((word): Step[] => [
    [`--share=${word}`, (p) => p.share(word)],
    [`--unshare=${word}`, (p) => p.unshare(word)],
  ]),
  ...sockets.flatMap((word): Step[] => [
    [`--socket=${word}`, (p) => p.addSocket(word)],
    [`--nosocket=${word}`, (p) => p.removeSocket(word)],
  ]),
  ...devices.flatMap((word): Step[] => [
    [`--device=${word}`, (p) => p.addDevice(word)],
    [`--nodevice=${word}`, (p) => p.removeDevice(word)],
  ]),
  ...paths.flatMap((path): Step[] => [
    [`--filesystem=${path}`, (p) => p.addFilesystem(path)],
    [`--filesystem=${path}:ro`, (p) => p.addFilesystem(`${path}:ro`)],
    [`--filesystem=${path}:create`, (p) => p.addFilesystem(`${path}:create`)],
    [`--nofilesystem=${path}`, (p) => p.removeFilesystem(path)],
  ]),
  ["--filesystem=/e\\:f:ro", (p) => p.addFilesystem("/e:f:ro")],
  ["--filesystem=/g\\\\h", (p) => p.addFilesystem("/g\\h")],
  ...names.flatMap((name): Step[] => [
    [`--talk-name=${name}`, (p) => p.addTalkName(name)],
    [`--own-name=${name}`, (p) => p.addOwnName(name)],
    [`--no-talk-name=${name}`, (p) => p.removeName(name)],
    [`--system-talk-name=${name}`, (p) => p.addSystemTalkName(name)],
    [`--system-own-name=${name}`, (p) => p.addSystemOwnName(name)],
    [`--system-no-talk-name=${name}`, (p) => p.removeSystemName(name)],
  ]),
  ...values.map((value): Step => [`--env=A=${value}`, (p) => p.setEnv("A", value)]),
  ["--unset-env=A", (p) => p.unsetEnv("A")],
  ["--unset-env=B", (p) => p.unsetEnv("B")],
];

describe("an override of Flatpak's", () => {
  before(function () {
    if (spawnSync("flatpak", ["--version"]).error !== undefined && process.env["CI"] !== "true") {
      console.log("      skipped: there is no flatpak here");
      this.skip();
    }
  });

  it("is read as the options that it was made with, each by itself", () => {
    for (let index = 0; index < steps.length; index += 12) checkAgainstFlatpak(steps.slice(index, index + 12));
  });

  it("is read as the options that it was made with, for random ones", () => {
    const random = new Random(6);
    for (let round = 0; round < 40; round++) checkAgainstFlatpak(random.some(steps, 30));
  });

  it("has X11, or X11 as a fallback, or neither", () => {
    checkAgainstFlatpak([["--socket=x11", (p) => p.addSocket("x11")]]);
    checkAgainstFlatpak([["--nosocket=x11", (p) => p.removeSocket("x11")]]);
    checkAgainstFlatpak([
      ["--socket=x11", (p) => p.addSocket("x11")],
      ["--socket=fallback-x11", (p) => p.addSocket("fallback-x11")],
    ]);
  });

  it("that takes all file systems away does so", () => {
    using directory = temporaryDirectory();
    const text = overrideFile(directory.path, ["--nofilesystem=host:reset", "--filesystem=/kept"]);
    const permissions = new SandboxPermissions().addFilesystem("/a").addFilesystem("host").applyKeyFile(text);
    assert.deepEqual(permissions.snapshot().filesystems, [{ path: "/kept", mode: "rw" }]);
  });
});

function checkAgainstFlatpak(chosen: readonly Step[]): void {
  using directory = temporaryDirectory();
  const options = chosen.map(([option]) => option);
  const text = overrideFile(directory.path, options);
  const expected = new SandboxPermissions();
  for (const [, apply] of chosen) apply(expected);
  assert.equal(SandboxPermissions.fromKeyFile(text).toKeyFile(), expected.toKeyFile(), `${options.join(" ")}\n${text}`);
}
