import type { PermissionSet } from "./permission-set.js";

/** Whether anything of the desktop is granted: a socket, a device, a bus. */
export function asksForDesktop({ sockets, devices, sessionBus, systemBus, portals, a11y }: PermissionSet): boolean {
  return [sockets, devices, sessionBus, systemBus].some(({ size }) => size > 0) || portals || a11y;
}

/** Whether any file of the host's is granted, or hidden. */
export function asksForFiles({ filesystems, filesystemDescriptors, hiddenPaths }: PermissionSet): boolean {
  return [filesystems, filesystemDescriptors, hiddenPaths].some(({ length }) => length > 0);
}
