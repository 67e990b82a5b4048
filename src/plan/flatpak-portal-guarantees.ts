import type { GuaranteeFacts, Shortfalls, Statement, Statements } from "./guarantees.js";
import { Mechanism } from "./guarantees.js";

type PortalGuaranteeFacts = Pick<
  GuaranteeFacts,
  "permissions" | "mounts" | "environment" | "directory" | "descriptors" | "host"
>;

/**
 * What the sandbox guarantees that Flatpak's portal makes for a child. It is another instance of the application: Flatpak
 * makes the namespaces and the filter that every Flatpak has, and gio-sandbox-init in it does the rest.
 *
 * What a child observes there is stated in sentences only, until the conformance program has seen it.
 */
export function portalGuarantees(facts: PortalGuaranteeFacts): Statements {
  const { permissions, mounts, environment, directory, descriptors, host } = facts;
  const hasNetwork = permissions.shared.has("network");
  const names = environment.map((entry) => entry.slice(0, entry.indexOf("=")));
  const numbers = [...new Set([0, 1, 2, ...descriptors])].sort((a, b) => a - b);
  return {
    filesystem: stated(mounts.length === 0 ? "denied" : "partly", [Mechanism.FLATPAK, Mechanism.MOUNT_NAMESPACE], [
      "It finds the application in /app and its runtime in /usr, read-only, and nothing of the application's own data.",
      "/tmp, its home and its runtime directory are its own, and gone with it.",
      ...mounts.map(({ path, writable }) =>
        writable ? `It can read and write ${path} as its user may.` : `It can read ${path} as its user may.`,
      ),
    ]),
    network: hasNetwork
      ? stated("granted", [], ["It has the network as the application has it, with abstract Unix sockets."])
      : stated("denied", [Mechanism.FLATPAK, Mechanism.NETWORK_NAMESPACE], [
          "It can make sockets, and has a loopback device of its own: connect() to any other address gives ENETUNREACH.",
        ]),
    "process-ids": stated("denied", [Mechanism.FLATPAK, Mechanism.PID_NAMESPACE], [
      "It sees the processes of its own sandbox only, neither the application's nor the host's.",
    ]),
    ipc: stated(permissions.shared.has("ipc") ? "granted" : "denied", [Mechanism.FLATPAK, Mechanism.IPC_NAMESPACE], [
      "System V IPC and POSIX message queues are those of its own sandbox, unless the application shares the host's.",
    ]),
    buses: stated("denied", [Mechanism.FLATPAK, Mechanism.MOUNT_NAMESPACE], ["It has no D-Bus, and so no portals."]),
    display: stated(permissions.sockets.size === 0 ? "denied" : "partly", [Mechanism.FLATPAK, Mechanism.MOUNT_NAMESPACE], [
      permissions.sockets.size === 0
        ? "It has no display and no sound."
        : "It has of display and sound what was granted, as far as the application has it itself.",
    ]),
    devices: stated(permissions.devices.size === 0 ? "denied" : "partly", [Mechanism.FLATPAK, Mechanism.MOUNT_NAMESPACE], [
      permissions.devices.size === 0
        ? "It finds the devices that do no harm in /dev, and no other."
        : "It has of devices what was granted, as far as the application has it itself.",
    ]),
    syscalls: stated("partly", [Mechanism.SECCOMP, Mechanism.FLATPAK], [
      "It can make no system call that a Flatpak cannot make, nor any that the list here refuses.",
    ]),
    privileges: stated("denied", [Mechanism.NO_NEW_PRIVILEGES, Mechanism.CAPABILITIES, Mechanism.USER_NAMESPACE], [
      `It runs as your user (${host.uid}) without any capability, and no program gives it more.`,
    ]),
    environment: stated("denied", [Mechanism.INIT], [
      `It has these variables, and none else: ${names.join(", ")}.`,
      `It has the descriptors ${numbers.join(", ")}, and no other, and begins in ${directory}.`,
    ]),
    resources: stated(permissions.limits.size === 0 ? "granted" : "partly", [Mechanism.RLIMIT, Mechanism.INIT], [
      "Its limits are those of an application in general, and those that were set.",
    ]),
    lifetime: stated("denied", [Mechanism.INIT, Mechanism.PID_NAMESPACE], [
      "It lives no longer than the program that launched it, and neither does anything that it started.",
    ]),
  };
}

function stated(
  access: Statement["access"],
  mechanisms: Statement["mechanisms"],
  sentences: Statement["sentences"],
): Statement {
  return { access, mechanisms, sentences, observations: [] };
}

/** What the portal cannot hold is refused by its planner; what it does make, holds. */
export const portalShortfalls: Shortfalls = new Map();
