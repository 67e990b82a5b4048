import assert from "node:assert/strict";
import type { Confinement, FlatpakConfinement } from "../../src/confinement/confinement.js";
import { parseFlatpakInfo } from "../../src/confinement/flatpak-info.js";
import { bubblewrapUnavailable } from "../../src/plan/bubblewrap-unavailable.js";
import { Backend, chooseBackend } from "../../src/plan/choose-backend.js";
import { GLibError, SandboxError, sandboxError } from "../../src/subprocess/glib-error.js";

const info = parseFlatpakInfo("[Application]\nname=org.example.App\n[Instance]\ninstance-id=1\n");
assert.ok(info !== null);
const flatpak: FlatpakConfinement = { kind: "flatpak", info, isTrusted: false };
const snap: Confinement = { kind: "snap", name: "editor", revision: "1", mode: "strict" };
const docker: Confinement = { kind: "container", manager: "docker" };
const sandbox: Confinement = { kind: "sandbox", firstProcess: "bwrap" };
const host: Confinement = { kind: "host" };
const everywhere = [flatpak, null];

function isUnavailable(error: unknown): boolean {
  return error instanceof GLibError && error.matches("gio-sandbox-error-quark", SandboxError.NOT_AVAILABLE);
}

describe("the choice of a backend", () => {
  it("is the portal in a Flatpak, and bubblewrap everywhere else", () => {
    assert.equal(chooseBackend(Backend.AUTO, flatpak), Backend.FLATPAK_PORTAL);
    assert.equal(chooseBackend(Backend.AUTO, null), Backend.BUBBLEWRAP);
  });

  it("is none only when that was asked for, and then everywhere", () => {
    for (const place of everywhere) assert.equal(chooseBackend(Backend.NONE, place), Backend.NONE);
  });

  it("is bubblewrap when that was asked for, be it for a try that fails", () => {
    for (const place of everywhere) assert.equal(chooseBackend(Backend.BUBBLEWRAP, place), Backend.BUBBLEWRAP);
  });

  it("refuses the portal outside a Flatpak, and takes nothing in its place", () => {
    assert.equal(chooseBackend(Backend.FLATPAK_PORTAL, flatpak), Backend.FLATPAK_PORTAL);
    assert.throws(() => chooseBackend(Backend.FLATPAK_PORTAL, null), isUnavailable);
  });

  it("refuses Landlock, which there is not yet", () => {
    for (const place of everywhere) assert.throws(() => chooseBackend(Backend.LANDLOCK, place), isUnavailable);
  });
});

describe("the error for a bubblewrap that does not work", () => {
  const error = sandboxError("NOT_AVAILABLE", "No sandbox is available. Bubblewrap: it failed.", { diagnostics: "bwrap: no" });

  it("is as it was on a plain host", () => {
    assert.equal(bubblewrapUnavailable(host, error), error);
  });

  it("keeps code, reason and diagnostics, and names the confinement and what would help", () => {
    for (const [confinement, pattern] of [
      [flatpak, /in a Flatpak.*the portal/],
      [snap, /in the snap editor.*it cannot mount.*no portal for snaps\. A classic snap can/],
      [{ ...snap, mode: "classic" }, /in the snap editor.*does not forbid it: bubblewrap has to be in the snap/],
      [docker, /in a container \(docker\).*--security-opt seccomp=unconfined/],
      [{ kind: "container", manager: "podman" }, /\(podman\).*unmask=ALL/],
      [{ kind: "container", manager: "lxc" }, /\(lxc\).*security\.nesting/],
      [{ kind: "container", manager: null }, /in a container, which forbids it: allow user namespaces/],
      [sandbox, /inside another sandbox.*start it outside/],
    ] as const) {
      const explained = bubblewrapUnavailable(confinement, error);
      assert.ok(isUnavailable(explained));
      assert.ok(explained.message.startsWith(`${error.message} This program is in`), explained.message);
      assert.match(explained.message, pattern);
      assert.equal(explained.diagnostics, "bwrap: no");
    }
  });
});
