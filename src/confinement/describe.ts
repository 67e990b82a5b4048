import { printable } from "../subprocess/printable.js";
import type { Confinement, FlatpakConfinement, SnapConfinement } from "./confinement.js";
import type { PortalFacts } from "./portal-facts.js";

/** One line for a person: where this program runs, and what that means for its children. */
export function describeConfinement(confinement: Confinement, portal: PortalFacts | null): string {
  switch (confinement.kind) {
    case "flatpak":
      return describeFlatpak(confinement, portal);
    case "snap":
      return describeSnap(confinement);
    case "container":
      return confinement.manager === null
        ? "In a container: whether bubblewrap works is up to it."
        : `In a container (${shown(confinement.manager)}): whether bubblewrap works is up to it.`;
    case "sandbox":
      return confinement.firstProcess === null
        ? "Inside another sandbox, which may forbid further namespaces."
        : `Inside another sandbox (of ${shown(confinement.firstProcess.trim())}), which may forbid further namespaces.`;
    case "host":
      return "On a plain host: nothing confines this program.";
  }
}

function describeFlatpak({ info, isTrusted }: FlatpakConfinement, portal: PortalFacts | null): string {
  const { appId, instanceId, flatpakVersion, isBuild } = info;
  const name = appId === null ? "a runtime without an application" : shown(appId);
  const where = `In a Flatpak: ${name}, instance ${shown(instanceId)}, Flatpak ${shown(flatpakVersion ?? "of unknown version")}.`;
  const trust = isTrusted ? " It may start anything on the host: its own sandbox confines nothing." : "";
  if (isBuild) return `${where}${trust} It is a build, of which the portal cannot start another instance.`;
  if (portal === null) return `${where}${trust}`;
  const pids = portal.supportsExposedPids ? "" : ", without exposed process ids";
  return `${where}${trust} Its sandbox portal has version ${portal.version}${pids}.`;
}

function describeSnap({ name, revision, mode }: SnapConfinement): string {
  const snap = `In the snap ${shown(name)}, revision ${shown(revision)}`;
  switch (mode) {
    case "classic":
      return `${snap}, which is classic: nothing confines this program.`;
    case "devmode":
      return `${snap}, in devmode: its confinement only complains.`;
    case "strict":
      return `${snap}, strictly confined: it cannot mount, so bubblewrap cannot work, and there is no portal for snaps.`;
    case null:
      return `${snap}, whose confinement cannot be read.`;
  }
}

function shown(text: string): string {
  return printable(text, 120);
}
