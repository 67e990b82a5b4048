import { encodeLaunch } from "../init/encode.js";
import { HelloFlag, Origin } from "../init/protocol.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { checkTargets } from "./child-limits.js";
import type { PortalRequest, SpawnCall } from "./flatpak-portal.js";
import { hello, MAX_MESSAGE_DESCRIPTORS, policyFilters, spawnCall, SpawnFlag } from "./flatpak-portal.js";
import { SandboxFlag } from "./flatpak-portal-permissions.js";
import type { PlannedDescriptor } from "./launch-plan.js";
import { joined, SINGLE_PROCESS } from "./launch-plan.js";
import { launchOrder, sourcesOf } from "./process-launch.js";

/** A launch through the portal by way of flatpak-spawn(1), for who cannot send descriptors over the bus. */
export interface FlatpakSpawnPlan {
  /** flatpak-spawn's arguments, without its own name. Nothing of the child's is in them. */
  readonly argv: readonly string[];
  /** What flatpak-spawn is started with: the places are the numbers, in the sandbox too. */
  readonly descriptors: readonly PlannedDescriptor[];
  /** What is written to the control socket first. */
  readonly frames: Uint8Array;
}

/**
 * The plan for one command in a sandbox of its own: the same sandbox as without flatpak-spawn, but that the child's
 * descriptors go the way of init's own, and that granted paths are named. Init compares those before anything starts.
 *
 * @throws GLibError as `planFlatpakPortal()`; `gio-sandbox-error-quark` NOT_ENFORCEABLE for what flatpak-spawn has no word
 *   for, LIMIT_EXCEEDED for more descriptors and paths than fit into a message
 */
export function planFlatpakSpawn(request: PortalRequest, command: CommandRequest): FlatpakSpawnPlan {
  const { permissions, mounts } = request;
  checkTargets(command.descriptors, permissions);
  const call = spawnCall(request);
  const sources = sourcesOf(command);
  checkCount(call, sources.length);
  const own = ownDescriptors(call);
  const order = launchOrder(
    { process: SINGLE_PROCESS, command, permissions, mounts, filters: policyFilters(request) },
    Origin.INHERITED,
    (source) => own.length + sources.indexOf(source),
  );
  const descriptors = [...own, ...sources.map((index) => ({ kind: "child", index }) as const)];
  return {
    argv: [
      ...flagWords(call.flags),
      ...sandboxFlagWords(call.sandboxFlags),
      `--directory=${call.directory}`,
      // those up to 2 it always gives away
      ...descriptors.slice(3).map((_, index) => `--forward-fd=${index + 3}`),
      ...exposed(call.exposed, "--sandbox-expose-path", request, call),
      ...exposed(call.exposedReadOnly, "--sandbox-expose-path-ro", request, call),
      // its first argument that does not begin with “-” is the command
      ...call.argv,
    ],
    descriptors,
    frames: joined(hello(HelloFlag.SINGLE_USE), encodeLaunch(order)),
  };
}

/** flatpak-spawn(1) sends everything in one message. */
function checkCount({ descriptors }: SpawnCall, children: number): void {
  const count = descriptors.length + children;
  if (count <= MAX_MESSAGE_DESCRIPTORS) return;
  throw sandboxError(
    "LIMIT_EXCEEDED",
    `Without the npm package koffi, the child's descriptors and the granted paths have to go with one message on the bus, ` +
      `which carries at most ${MAX_MESSAGE_DESCRIPTORS} descriptors, not ${count}. Install koffi.`,
  );
}

/** Those with numbers, which are contiguous, in the order of their numbers. */
function ownDescriptors({ descriptors, numbers }: SpawnCall): PlannedDescriptor[] {
  return [...numbers].sort(([a], [b]) => a - b).map(([, place]) => at(descriptors, place));
}

/**
 * WATCH_BUS is left out: flatpak-spawn is killed as soon as init has spoken, since it keeps what it has given away open,
 * and no pipe would end before it does. That an application ends, init sees by its control socket.
 */
const words: readonly (readonly [flag: number, word: string])[] = [
  [SpawnFlag.SANDBOX, "--sandbox"],
  [SpawnFlag.NO_NETWORK, "--no-network"],
  [SpawnFlag.EXPOSE_PIDS, "--expose-pids"],
];

function flagWords(flags: number): string[] {
  return words.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => word);
}

/** All that flatpak-spawn 1.0.5 knows. */
const sandboxWords: readonly (readonly [flag: number, word: string])[] = [
  [SandboxFlag.SHARE_DISPLAY, "share-display"],
  [SandboxFlag.SHARE_SOUND, "share-sound"],
  [SandboxFlag.SHARE_GPU, "share-gpu"],
  [SandboxFlag.ALLOW_DBUS, "allow-dbus"],
  [SandboxFlag.ALLOW_A11Y, "allow-a11y"],
];

function sandboxFlagWords(flags: number): string[] {
  const known = sandboxWords.filter(([flag]) => (flags & flag) !== 0);
  if (known.reduce((rest, [flag]) => rest & ~flag, flags) !== 0) {
    throw sandboxError(
      "NOT_ENFORCEABLE",
      "Without the npm package koffi only --device=dri can be granted of the devices: flatpak-spawn knows no other. Install koffi.",
    );
  }
  return known.map(([, word]) => `--sandbox-flag=${word}`);
}

function exposed(places: readonly number[], option: string, { mounts }: PortalRequest, { descriptors }: SpawnCall): string[] {
  return places.map((place) => {
    const planned = at(descriptors, place);
    if (planned.kind !== "granted") throw new RangeError(`What is exposed is of the kind ${planned.kind}`);
    return `${option}=${at(mounts, planned.index).path}`;
  });
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`The plan names place ${index} of ${list.length}`);
  return item;
}
