import type { FlatpakContext } from "../confinement/flatpak-info.js";
import type { PortalFacts } from "../confinement/portal-facts.js";
import type { BusPolicy, Device, PermissionSet, Socket } from "../permissions/permission-set.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";

/**
 * Bits of the option `sandbox-flags`: data/org.freedesktop.portal.Flatpak.xml of Flatpak. Each gives again what the
 * application holds of its kind, all of it.
 */
export const SandboxFlag = {
  SHARE_DISPLAY: 1,
  SHARE_SOUND: 2,
  SHARE_GPU: 4,
  ALLOW_DBUS: 8,
  ALLOW_A11Y: 16,
  // since version 8
  SHARE_INPUT: 32,
  SHARE_USB: 64,
  SHARE_KVM: 128,
  SHARE_SHM: 256,
  SHARE_DEVICES: 512,
} as const;

/** The version of the interface that came with Flatpak 1.18. */
const DEVICES_VERSION = 8;

/**
 * The portal's flags for what a child is granted besides files and the network, which are checked as well.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_PERMITTED for what the application does not hold itself, NOT_ENFORCEABLE
 *   for what the portal cannot give, or cannot give without more
 */
export function sandboxFlags(wanted: PermissionSet, held: FlatpakContext, portal: PortalFacts): number {
  const permissions = withoutLacking(wanted, held);
  checkHiddenPaths(permissions);
  checkShares(permissions, held);
  return (
    displayFlags(permissions, held) | socketFlags(permissions, held) | deviceFlags(permissions, held, portal) | busFlags(permissions)
  );
}

/** What the application does not hold is not there for its children: the `-try` forms are left out then. */
export function withoutLacking(permissions: PermissionSet, held: FlatpakContext): PermissionSet {
  const { sockets, devices, optionalSockets, optionalDevices } = permissions;
  return {
    ...permissions,
    sockets: new Set([...sockets].filter((socket) => held.sockets.has(socket) || !optionalSockets.has(socket))),
    devices: new Set([...devices].filter((device) => holdsDevice(held, device) || !optionalDevices.has(device))),
  };
}

/** A path that the portal is given is seen with all that is below it. */
function checkHiddenPaths({ hiddenPaths, filesystems, filesystemDescriptors }: PermissionSet): void {
  const [hidden] = hiddenPaths;
  if (hidden === undefined || filesystems.length + filesystemDescriptors.length === 0) return;
  throw notEnforceable(
    `The portal cannot hide “${printable(hidden, 200)}” in what it shows of the host: grant the paths beside it one by one`,
  );
}

function checkShares({ shared, sockets }: PermissionSet, held: FlatpakContext): void {
  for (const subsystem of shared) {
    if (!held.shared.has(subsystem)) throw notHeld(`--share=${subsystem}`);
  }
  if (shared.has("ipc") && !bringsIpc(sockets, held)) {
    throw notEnforceable("The portal shares the host's IPC only along with X11: leave out --share=ipc, or add --socket=x11");
  }
}

/** Whether the display comes with the host's IPC: portal/flatpak-portal.c gives both when the application has X11 and IPC. */
function bringsIpc(sockets: PermissionSet["sockets"], held: FlatpakContext): boolean {
  return held.shared.has("ipc") && ["x11", "fallback-x11"].some((name) => held.sockets.has(name)) && asksForDisplay(sockets);
}

const displays: readonly Socket[] = ["wayland", "fallback-x11", "x11"];

function asksForDisplay(sockets: PermissionSet["sockets"]): boolean {
  return displays.some((socket) => sockets.has(socket));
}

/** One switch for all displays: what was asked for has to be what there is. */
function displayFlags({ sockets, shared }: PermissionSet, held: FlatpakContext): number {
  if (!asksForDisplay(sockets)) return 0;
  for (const socket of displays) {
    if (sockets.has(socket) && !held.sockets.has(socket)) throw notHeld(`--socket=${socket}`);
  }
  const more = displays.filter((socket) => held.sockets.has(socket) && !sockets.has(socket));
  if (more.length > 0) {
    throw notEnforceable(
      `The portal gives all displays of the application at once: besides those asked for that would be ${more.join(" and ")}. ` +
        `Ask for ${more.map((socket) => `--socket=${socket}`).join(" ")} too, or take it from the application.`,
    );
  }
  if (bringsIpc(sockets, held) && !shared.has("ipc")) {
    throw notEnforceable("The portal gives X11 along with the host's IPC, which this application has: ask for --share=ipc too");
  }
  return SandboxFlag.SHARE_DISPLAY;
}

function socketFlags({ sockets }: PermissionSet, held: FlatpakContext): number {
  let flags = 0;
  for (const socket of sockets) {
    if (displays.includes(socket)) continue;
    if (socket !== "pulseaudio") throw notEnforceable(`The portal cannot give its sandboxes --socket=${socket}`);
    if (!held.sockets.has(socket)) throw notHeld(`--socket=${socket}`);
    flags |= SandboxFlag.SHARE_SOUND;
  }
  return flags;
}

const flagsOfDevices: Readonly<Record<Device, { readonly flag: number; readonly version: number }>> = {
  dri: { flag: SandboxFlag.SHARE_GPU, version: 3 },
  input: { flag: SandboxFlag.SHARE_INPUT, version: DEVICES_VERSION },
  usb: { flag: SandboxFlag.SHARE_USB, version: DEVICES_VERSION },
  kvm: { flag: SandboxFlag.SHARE_KVM, version: DEVICES_VERSION },
  shm: { flag: SandboxFlag.SHARE_SHM, version: DEVICES_VERSION },
  all: { flag: SandboxFlag.SHARE_DEVICES, version: DEVICES_VERSION },
};

function deviceFlags({ devices }: PermissionSet, held: FlatpakContext, portal: PortalFacts): number {
  let flags = 0;
  for (const device of devices) {
    const { flag, version } = flagsOfDevices[device];
    if (!holdsDevice(held, device)) throw notHeld(`--device=${device}`);
    if (portal.version < version) {
      throw notEnforceable(
        `This portal cannot give its sandboxes --device=${device}: that needs version ${version} of its interface, which came ` +
          `with Flatpak 1.18, and it has ${portal.version}`,
      );
    }
    flags |= flag;
  }
  return flags;
}

/** /dev/shm is not among what Flatpak calls all devices. */
function holdsDevice({ devices }: FlatpakContext, device: Device): boolean {
  return devices.has(device) || (device !== "shm" && devices.has("all"));
}

/** The portal has one switch for the session bus: portals, and names below the application's own. */
function busFlags({ portals, a11y, sessionBus, systemBus }: PermissionSet): number {
  for (const [name, policy] of sessionBus) {
    if (!isAmongPortals(name, policy, portals)) throw noName(name, "session");
  }
  for (const [name, policy] of systemBus) {
    if (policy !== "none") throw noName(name, "system");
  }
  return (portals ? SandboxFlag.ALLOW_DBUS : 0) | (a11y ? SandboxFlag.ALLOW_A11Y : 0);
}

function isAmongPortals(name: string, policy: BusPolicy, portals: boolean): boolean {
  return policy === "none" || (portals && policy !== "own" && name.startsWith("org.freedesktop.portal."));
}

function noName(name: string, bus: string): GLibError {
  return notEnforceable(
    `The portal cannot give its sandboxes the name “${printable(name, 100)}” on the ${bus} bus: of buses it gives the portals ` +
      "and the accessibility bus, as wholes",
  );
}

function notHeld(option: string): GLibError {
  return sandboxError(
    "NOT_PERMITTED",
    `This application does not hold ${option} itself, and so cannot grant it. Give it to the application: flatpak override ${option}`,
  );
}

function notEnforceable(message: string): GLibError {
  return sandboxError("NOT_ENFORCEABLE", message);
}
