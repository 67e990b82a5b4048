import assert from "node:assert/strict";
import { portalFailure, portalUnavailable } from "../../src/plan/flatpak-portal-failure.js";
import type { GLibError } from "../../src/subprocess/glib-error.js";
import { SandboxError } from "../../src/subprocess/glib-error.js";

const D_BUS = "org.freedesktop.DBus.Error.";

function is(error: GLibError, code: keyof typeof SandboxError, pattern: RegExp): void {
  assert.ok(error.matches("gio-sandbox-error-quark", SandboxError[code]), error.message);
  assert.match(error.message, pattern);
}

describe("the error for a portal that gave no sandbox", () => {
  it("is NOT_AVAILABLE for a portal that is not there, with what helps", () => {
    for (const name of ["ServiceUnknown", "NameHasNoOwner", "UnknownMethod", "Spawn.ServiceNotFound"]) {
      is(portalUnavailable(D_BUS + name, "no"), "NOT_AVAILABLE", /not on the session bus.*Install the package flatpak/);
      is(portalFailure({ kind: "refused", name: D_BUS + name, message: "no" }, false, ""), "NOT_AVAILABLE", /Install/);
    }
  });

  it("is NOT_AVAILABLE for an application that may not talk to it", () => {
    is(portalUnavailable(`${D_BUS}AccessDenied`, "no"), "NOT_AVAILABLE", /--talk-name=org\.freedesktop\.portal\.Flatpak/);
  });

  it("is NOT_AVAILABLE for a program that the portal takes for no installed application", () => {
    const message = "org.freedesktop.portal.Flatpak.Spawn only works in a flatpak";
    is(portalFailure({ kind: "refused", name: `${D_BUS}InvalidArgs`, message }, false, ""), "NOT_AVAILABLE", /installed application/);
  });

  it("is NOT_AVAILABLE for what the portal says it does not support", () => {
    const end = { kind: "refused", name: `${D_BUS}NotSupported`, message: "Expose pids not supported with setuid bwrap" } as const;
    is(portalFailure(end, false, ""), "NOT_AVAILABLE", /setuid bwrap/);
  });

  it("is SETUP_FAILED for anything else that it refuses, with its words", () => {
    const end = { kind: "refused", name: `${D_BUS}InvalidArgs`, message: "Unsupported flags enabled: 0x200" } as const;
    is(portalFailure(end, false, ""), "SETUP_FAILED", /Unsupported flags enabled: 0x200 \(org\.freedesktop\.DBus\.Error\.InvalidArgs\)/);
  });

  it("is SETUP_FAILED with what flatpak and bwrap wrote, if they ended", () => {
    const error = portalFailure({ kind: "exited", status: 256 }, false, "bwrap: No space left\nerror: ldconfig failed\n");
    is(error, "SETUP_FAILED", /could not be set up: bwrap: No space left; error: ldconfig failed$/);
    assert.equal(error.diagnostics, "bwrap: No space left; error: ldconfig failed");
    is(portalFailure({ kind: "exited", status: 256 }, false, ""), "SETUP_FAILED", /exited with code 1/);
    is(portalFailure({ kind: "exited", status: 9 }, false, ""), "SETUP_FAILED", /killed by signal 9/);
  });

  it("is SETUP_FAILED for silence, a portal that ends, and a bus that goes", () => {
    is(portalFailure({ kind: "silent", milliseconds: 5 }, false, ""), "SETUP_FAILED", /within 5 ms/);
    is(portalFailure({ kind: "vanished" }, false, ""), "SETUP_FAILED", /the portal has ended/);
    is(portalFailure({ kind: "disconnected", message: "bye" }, false, ""), "SETUP_FAILED", /bus is gone: bye/);
  });

  it("says that the sandbox was lost once its process ran, whatever the reason", () => {
    for (const end of [
      { kind: "exited", status: 35072 },
      { kind: "vanished" },
      { kind: "refused", name: `${D_BUS}ServiceUnknown`, message: "no" },
    ] as const) {
      is(portalFailure(end, true, "what the child may have written"), "SETUP_FAILED", /^The sandbox was lost while its process ran: /);
    }
  });

  it("escapes control characters in what others said", () => {
    for (const error of [
      portalFailure({ kind: "refused", name: "a\u001bb", message: "c\u001bd" }, false, ""),
      portalFailure({ kind: "exited", status: 256 }, false, "e\u001bf"),
      portalUnavailable("a", "c\u001bd"),
    ]) {
      assert.ok(!error.message.includes("\u001b"));
    }
  });
});
