import type { Device, PermissionSet } from "../permissions/permission-set.js";
import type { DesktopFacts, GraphicsNode } from "./host-facts.js";
import type { HostPart, PrivateLink } from "./host-path.js";

/**
 * The device nodes that permissions name. A device that is not there is an error, as with sockets.
 *
 * Directories are granted with what is in them later; a node that appears beside them later is not there.
 */
export function deviceParts({ devices, optionalDevices }: PermissionSet, desktop: DesktopFacts): readonly HostPart[] {
  return [...devices].flatMap((device) => {
    const parts = partsOf(device, desktop);
    return optionalDevices.has(device) ? parts.map((part) => ({ ...part, missing: null })) : parts;
  });
}

function partsOf(device: Device, desktop: DesktopFacts): readonly HostPart[] {
  if (device === "shm") return [sharedMemory];
  const { matches, what } = kinds[device];
  const found = desktop.devices.filter(({ name }) => matches.test(name) && !isOwn(name));
  const parts = found.map(({ name }) => node(device, name));
  if (parts.length === 0) return [absent(device, what)];
  return device === "dri" || device === "all" ? [...parts, ...desktop.graphics.map(description)] : parts;
}

interface DeviceKind {
  /** Names in /dev. */
  readonly matches: RegExp;
  readonly what: string;
}

const kinds: Readonly<Record<Exclude<Device, "shm">, DeviceKind>> = {
  // /dev/dri and what the drivers of NVIDIA, ARM and AMD (compute) have besides: flatpak-run.c has the same
  dri: {
    matches: /^(?:dri|nvidia\d+|nvidiactl|nvidia-modeset|nvidia-uvm|nvidia-uvm-tools|mali\d*|umplock|kfd|nvhost-.*|nvmap)$/,
    what: "no GPU: looked for /dev/dri, /dev/nvidia*, /dev/mali* and /dev/kfd",
  },
  input: { matches: /^input$/, what: "no input devices: looked for /dev/input" },
  kvm: { matches: /^kvm$/, what: "no virtualization: looked for /dev/kvm" },
  usb: { matches: /^bus$/, what: "no USB: looked for /dev/bus/usb" },
  all: { matches: /./, what: "no devices: looked at /dev" },
};

/**
 * Every sandbox has these of its own, or none: basic nodes, shared memory and message queues, and the terminals, which
 * are other programs' input.
 */
function isOwn(name: string): boolean {
  return /^(?:null|zero|full|random|urandom|shm|mqueue|pts|ptmx|console|tty.*|vcs.*)$/.test(name);
}

function node(device: Device, name: string): HostPart {
  const path = device === "usb" ? "/dev/bus/usb" : `/dev/${name}`;
  return {
    wanted: { permission: `device=${device}`, candidates: [path], type: "any", ifMissing: "skip" },
    target: path,
    access: "device",
    missing: device === "usb" ? `device=usb: there is ${kinds.usb.what}` : null,
  };
}

function absent(device: Exclude<Device, "shm">, what: string): HostPart {
  const wanted = { permission: `device=${device}`, candidates: [], type: "any", ifMissing: "skip" } as const;
  return { wanted, target: null, access: "ro", missing: `device=${device}: there is ${what}` };
}

/** The host's, with what other programs have put there. */
const sharedMemory: HostPart = {
  wanted: { permission: "device=shm", candidates: ["/dev/shm"], type: "any", ifMissing: "skip" },
  target: "/dev/shm",
  access: "rw",
  missing: "device=shm: there is no shared memory: looked for /dev/shm",
};

/** Drivers ask sysfs what a node belongs to: that device alone, for the whole of sysfs says much of the machine. */
function description({ device }: GraphicsNode): HostPart {
  return {
    wanted: { permission: "device=dri", candidates: [device], type: "any", ifMissing: "skip" },
    target: device,
    access: "ro",
    missing: null,
  };
}

/** What libdrm follows from a node's number to its device. */
export function graphicsLinks({ devices }: PermissionSet, { graphics }: DesktopFacts): PrivateLink[] {
  if (!devices.has("dri") && !devices.has("all")) return [];
  return graphics.map(({ number, description: target }) => ({ path: `/sys/dev/char/${number}`, target }));
}

