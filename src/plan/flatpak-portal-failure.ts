import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import { exitStatus, ifExited, termSignal } from "../subprocess/wait-status.js";

/** Why nothing is heard of a sandbox of the portal's, although nobody closed it. */
export type PortalEnd =
  /** The bus, or the portal over it, answered with this error. */
  | { readonly kind: "refused"; readonly name: string; readonly message: string }
  /** No answer came, or nothing after the answer. */
  | { readonly kind: "silent"; readonly milliseconds: number }
  /** SpawnExited: `flatpak run` has ended. */
  | { readonly kind: "exited"; readonly status: WaitStatus }
  /** The portal's service has ended. */
  | { readonly kind: "vanished" }
  /** The connection to the bus has ended. */
  | { readonly kind: "disconnected"; readonly message: string };

const D_BUS = "org.freedesktop.DBus.Error.";

const unreachable: readonly string[] = [
  ...["ServiceUnknown", "NameHasNoOwner", "UnknownMethod", "UnknownInterface", "UnknownObject"].map((name) => D_BUS + name),
  ...["Spawn.ServiceNotFound", "Spawn.ExecFailed", "Spawn.ChildExited"].map((name) => D_BUS + name),
];

const installHint = "Install the package flatpak on the host, or update it: the portal comes with it.";

/**
 * @param wasReady whether init had spoken
 * @param stderr what `flatpak run` and bwrap wrote to their standard error
 */
export function portalFailure(end: PortalEnd, wasReady: boolean, stderr: string): GLibError {
  if (wasReady) return sandboxError("SETUP_FAILED", `The sandbox was lost while its process ran: ${endText(end)}`);
  const diagnostics = printable(stderr.trim().replaceAll("\n", "; "), 2000);
  if (end.kind === "refused") return refusal(end.name, end.message, diagnostics);
  const what = diagnostics === "" || end.kind !== "exited" ? endText(end) : diagnostics;
  return sandboxError("SETUP_FAILED", `The sandbox could not be set up: ${what}`, { diagnostics });
}

/** The error for a portal that cannot be asked anything: it has no version to plan for. */
export function portalUnavailable(name: string, message: string): GLibError {
  if (unreachable.includes(name)) return unavailable(`the portal is not on the session bus (${name}). ${installHint}`, "");
  if (name === `${D_BUS}AccessDenied`) {
    return unavailable(
      "this application may not talk to it. Give it the right: flatpak override --talk-name=org.freedesktop.portal.Flatpak",
      "",
    );
  }
  return unavailable(`it does not say its version: ${printable(message)}`, "");
}

function refusal(name: string, message: string, diagnostics: string): GLibError {
  const text = printable(message);
  if (unreachable.includes(name) || name === `${D_BUS}AccessDenied`) return portalUnavailable(name, message);
  // "… only works in a flatpak": it is the portal that decides where we are
  if (name === `${D_BUS}InvalidArgs` && message.includes("only works in a flatpak")) {
    return unavailable(`it does not take this program for an installed application (${text})`, diagnostics);
  }
  if (name === `${D_BUS}NotSupported`) return unavailable(text, diagnostics);
  return sandboxError("SETUP_FAILED", `The sandbox could not be set up: the portal refused it: ${text} (${printable(name, 100)})`, {
    diagnostics,
  });
}

function unavailable(why: string, diagnostics: string): GLibError {
  return sandboxError("NOT_AVAILABLE", `No sandbox is available. Flatpak's portal: ${why}`, { diagnostics });
}

function endText(end: PortalEnd): string {
  switch (end.kind) {
    case "refused":
      return `the portal refused it: ${printable(end.message)}`;
    case "silent":
      return `nothing was heard of it within ${end.milliseconds} ms`;
    case "exited":
      return ifExited(end.status)
        ? `it exited with code ${exitStatus(end.status)}`
        : `it was killed by signal ${termSignal(end.status)}`;
    case "vanished":
      return "the portal has ended";
    case "disconnected":
      return `the session bus is gone: ${printable(end.message)}`;
  }
}
