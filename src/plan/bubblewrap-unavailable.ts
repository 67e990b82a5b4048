import type { Confinement, ContainerConfinement, SnapConfinement } from "../confinement/confinement.js";
import { GLibError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";

/**
 * The error for a bubblewrap that does not work, with what this has to do with where we are and what would help there.
 *
 * @param error why bubblewrap does not work
 */
export function bubblewrapUnavailable(confinement: Confinement, error: GLibError): GLibError {
  const where = whereText(confinement);
  if (where === null) return error;
  const details = { cause: error, ...(error.diagnostics === null ? {} : { diagnostics: error.diagnostics }) };
  return new GLibError(error.domain, error.code, `${error.message} ${where}`, details);
}

function whereText(confinement: Confinement): string | null {
  switch (confinement.kind) {
    case "flatpak":
      return (
        "This program is in a Flatpak, whose system call filter forbids what bubblewrap needs: the backend for it is the portal, " +
        "which AUTO chooses."
      );
    case "snap":
      return snapText(confinement);
    case "container":
      return containerText(confinement);
    case "sandbox":
      return "This program is inside another sandbox, which forbids it: start it outside, and let it make the sandbox.";
    case "host":
      return null;
  }
}

function snapText({ name, mode }: SnapConfinement): string {
  const snap = `This program is in the snap ${printable(name, 100)}`;
  if (mode === "classic" || mode === "devmode") {
    return `${snap}, whose confinement (${mode}) does not forbid it: bubblewrap has to be in the snap or on the host.`;
  }
  return (
    `${snap}, which is strictly confined: it cannot mount, so bubblewrap cannot work in it, and there is no portal for snaps. ` +
    "A classic snap can use bubblewrap."
  );
}

function containerText({ manager }: ContainerConfinement): string {
  const name = manager === null ? "" : ` (${printable(manager, 100)})`;
  const options = containerOptions[manager ?? ""] ?? "allow user namespaces, mounts and a new /proc in it";
  return `This program is in a container${name}, which forbids it: ${options}, or make the sandbox outside.`;
}

const containerOptions: Readonly<Record<string, string>> = {
  docker:
    "start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined",
  podman: "start it with --security-opt seccomp=unconfined --security-opt unmask=ALL",
  lxc: "set security.nesting for it",
};
