import type { FlatpakConfinement } from "../confinement/confinement.js";
import type { PortalFacts } from "../confinement/portal-facts.js";
import { encodeHello, encodeLaunch } from "../init/encode.js";
import { HelloFlag, Origin } from "../init/protocol.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import { isArchitecture } from "../seccomp/architecture.js";
import { compileSyscallPolicy } from "../seccomp/compile-policy.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import { printable } from "../subprocess/printable.js";
import { checkTargets } from "./child-limits.js";
import { sandboxFlags } from "./flatpak-portal-permissions.js";
import { isInEverySandbox, isPrivateToApp } from "./flatpak-paths.js";
import type { ResolvedMount } from "./host-facts.js";
import type { PlannedDescriptor } from "./launch-plan.js";
import { joined, SINGLE_PROCESS } from "./launch-plan.js";
import type { ChildFilters } from "./process-launch.js";
import { launchOrder, sourcesOf } from "./process-launch.js";

/** Flags of `Spawn`: data/org.freedesktop.portal.Flatpak.xml of Flatpak. An unknown bit is an error there. */
export const SpawnFlag = {
  SANDBOX: 4,
  NO_NETWORK: 8,
  WATCH_BUS: 16,
  /** Since version 3, where `supports` says so. */
  EXPOSE_PIDS: 32,
  /** Since version 4. */
  NOTIFY_START: 64,
} as const;

/** The oldest interface that is planned for: it came with Flatpak 1.6, and with `sandbox-expose-fd`. */
export const OLDEST_PORTAL = 3;

/** What a message bus lets through at once: `max_message_unix_fds` of dbus-daemon. */
export const MAX_MESSAGE_DESCRIPTORS = 16;

/** A granted path as the portal has to see it. */
export interface PortalMount extends ResolvedMount {
  /** Where its descriptor says that it is; null if that is no path. */
  readonly realPath: string | null;
  /** Whether this application can write there itself. */
  readonly isWritableHere: boolean;
}

/** What a sandbox of the portal's is to be, whatever runs in it. */
export interface PortalRequest {
  readonly app: FlatpakConfinement;
  readonly portal: PortalFacts;
  readonly permissions: PermissionSet;
  /** The granted paths, in any order; their places here are those of the shell's O_PATH descriptors. */
  readonly mounts: readonly PortalMount[];
  /** gio-sandbox-init, as this application sees it. */
  readonly initPath: string;
  /** A word that no other launch has: init's second argument, by which it is found in /proc. */
  readonly label: string;
}

/** One call of `Spawn`. */
export interface SpawnCall {
  /** The working directory of init, not of the command. */
  readonly directory: string;
  readonly argv: readonly string[];
  /** What goes with the message: their places here are the handles in it. */
  readonly descriptors: readonly PlannedDescriptor[];
  /** The numbers that descriptors get: number → place. The portal closes what it has given once: each has its own. */
  readonly numbers: ReadonlyMap<number, number>;
  /** For `flatpak run`: the command's own comes from init, which starts from an empty one. */
  readonly environment: ReadonlyMap<string, string>;
  readonly flags: number;
  /** `sandbox-flags`; 0: the option is left out. */
  readonly sandboxFlags: number;
  /** `sandbox-expose-fd`: places of O_PATH descriptors. */
  readonly exposed: readonly number[];
  /** `sandbox-expose-fd-ro` */
  readonly exposedReadOnly: readonly number[];
}

/** A launch through the portal. */
export interface PortalPlan {
  readonly spawn: SpawnCall;
  /** What is written to the control socket first. */
  readonly frames: Uint8Array;
  /** The shell's descriptors that go with the frames, in this order: indices into its list of the child's. */
  readonly sources: readonly number[];
}

/**
 * The plan for one command in a sandbox of its own.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE where the portal cannot start anything, NOT_ENFORCEABLE for what it
 *   cannot do, NOT_PERMITTED for what this application does not hold itself, LIMIT_EXCEEDED for more paths than fit into a
 *   message; `g-exec-error-quark` for arguments and descriptors that no child could have
 */
export function planFlatpakPortal(request: PortalRequest, command: CommandRequest): PortalPlan {
  const { permissions, mounts } = request;
  checkTargets(command.descriptors, permissions);
  const spawn = spawnCall(request);
  const sources = sourcesOf(command);
  const filters = policyFilters(request);
  const order = launchOrder(
    { process: SINGLE_PROCESS, command, permissions, mounts, filters },
    Origin.RECEIVED,
    (source) => sources.indexOf(source),
  );
  return { spawn, frames: joined(hello(HelloFlag.SINGLE_USE), encodeLaunch(order)), sources };
}

/** The programs that init puts upon a child: the same filters as with bubblewrap, where every instance has Flatpak's own already, which refuses less. */
export function policyFilters({ app, permissions: { syscalls } }: PortalRequest): readonly Uint8Array[] {
  const name = app.info.architecture ?? "";
  if (!isArchitecture(name)) {
    if (syscalls.kind === "default") return [];
    const what = `This Flatpak is of the architecture “${printable(name, 80)}”, whose system calls are not known`;
    throw sandboxError("NOT_ENFORCEABLE", `${what}: a list of them cannot be enforced. Leave it out.`);
  }
  const { sandbox, child } = compileSyscallPolicy(syscalls, name);
  return child === null ? [sandbox.bytes] : [sandbox.bytes, child.bytes];
}

/**
 * The plan for a sandbox that commands are put into later.
 *
 * @param helloFlags bits of `HelloFlag`
 * @throws GLibError as `planFlatpakPortal()`, for what concerns the sandbox and not a command
 */
export function planOpenFlatpakPortal(request: PortalRequest, helloFlags: number): PortalPlan & ChildFilters {
  return { spawn: spawnCall(request), frames: hello(helloFlags), sources: [], filters: policyFilters(request) };
}

/**
 * In the portal's sandbox bwrap's own reaper is pid 1.
 *
 * @param flags bits of `HelloFlag`
 */
export function hello(flags: number): Uint8Array {
  return encodeHello(flags | HelloFlag.NOT_PID_1);
}

/**
 * The call for a sandbox with init in it, whatever that starts.
 *
 * @throws GLibError as `planFlatpakPortal()`
 */
export function spawnCall(request: PortalRequest): SpawnCall {
  const { app, portal, permissions, mounts } = request;
  checkPortal(app, portal);
  checkLimits(permissions);
  const message = new DescriptorList();
  // never a terminal: the portal would make it the controlling one of what it starts
  message.give(0, { kind: "null" });
  message.give(1, { kind: "null" });
  message.give(2, { kind: "diagnostics" });
  message.give(CONTROL, { kind: "control" });
  const argv = [initCommand(request, message), String(CONTROL), request.label];
  const [exposed, exposedReadOnly] = exposedPaths(request, message);
  if (message.descriptors.length > MAX_MESSAGE_DESCRIPTORS) {
    const most = MAX_MESSAGE_DESCRIPTORS - (message.descriptors.length - exposed.length - exposedReadOnly.length);
    throw sandboxError(
      "LIMIT_EXCEEDED",
      `The portal can be given at most ${most} paths at once, not ${mounts.length}: a message on the bus carries no more ` +
        "descriptors. Grant a directory that contains them.",
    );
  }
  return {
    directory: "/",
    argv,
    descriptors: message.descriptors,
    numbers: message.numbers,
    environment: new Map(),
    flags: spawnFlags(permissions, portal),
    sandboxFlags: sandboxFlags(permissions, app.info.context, portal),
    exposed,
    exposedReadOnly,
  };
}

/** The number of the control socket. */
const CONTROL = 3;
/** The number of gio-sandbox-init, where it has to be given along. */
const INIT = 4;

function spawnFlags({ shared }: PermissionSet, { version, supportsExposedPids }: PortalFacts): number {
  return (
    SpawnFlag.SANDBOX |
    SpawnFlag.WATCH_BUS |
    (shared.has("network") ? 0 : SpawnFlag.NO_NETWORK) |
    // the sandbox's process ids lie within this application's: whatever happens to init, we can end them, and the kernel
    // does so when the application's own first process ends
    (supportsExposedPids ? SpawnFlag.EXPOSE_PIDS : 0) |
    (version >= 4 ? SpawnFlag.NOTIFY_START : 0)
  );
}

function checkPortal({ info }: FlatpakConfinement, { version }: PortalFacts): void {
  if (info.isBuild) {
    throw unavailable("this is a build, and the portal starts other instances of what is installed only. Install the application.");
  }
  if (info.appId === null) {
    throw unavailable("this is a runtime without an application, and the portal starts other instances of applications only.");
  }
  if (version < OLDEST_PORTAL) {
    throw unavailable(
      `its interface has version ${version}, and ${OLDEST_PORTAL} or newer is needed. Update Flatpak to 1.6 or newer.`,
    );
  }
}

function checkLimits({ limits }: PermissionSet): void {
  if (limits.has("tmpfs")) {
    throw sandboxError(
      "NOT_ENFORCEABLE",
      "The portal cannot bound the private directories of its sandboxes: the limit “tmpfs” does not work in a Flatpak",
    );
  }
}

/** At its installed path, which every sandbox of the application has; else from a descriptor. */
function initCommand({ initPath }: PortalRequest, message: DescriptorList): string {
  if (isInEverySandbox(initPath)) return initPath;
  message.give(INIT, { kind: "init" });
  return `/proc/self/fd/${INIT}`;
}

/** The places of what is given to write, and to read only. */
function exposedPaths(
  { app, mounts }: PortalRequest,
  message: DescriptorList,
): readonly [exposed: readonly number[], exposedReadOnly: readonly number[]] {
  const exposed: number[] = [];
  const exposedReadOnly: number[] = [];
  mounts.forEach((mount, index) => {
    checkMount(mount, app);
    // there it is already, and init compares it
    if (isInEverySandbox(mount.path)) return;
    (mount.writable ? exposed : exposedReadOnly).push(message.add({ kind: "granted", index }));
  });
  return [exposed, exposedReadOnly];
}

function checkMount({ path, realPath, writable, isWritableHere }: PortalMount, app: FlatpakConfinement): void {
  const shown = printable(path, 200);
  if (isInEverySandbox(path)) {
    if (writable) {
      throw notEnforceable(`“${shown}” cannot be granted to be written: in a Flatpak /app and /usr are there to be read only`);
    }
    return;
  }
  if (realPath !== path) {
    const real = realPath === null ? "has no path on the host" : `is “${printable(realPath, 200)}”`;
    throw notEnforceable(
      `What is to be seen as “${shown}” ${real}, and the portal shows a path where it is on the host, nowhere else. ` +
        "Grant it under its own path.",
    );
  }
  if (isPrivateToApp(path, app.info)) {
    throw notEnforceable(
      `“${shown}” is this application's alone: the host, which has to show it to the child, does not have it there. ` +
        "Use a path below the application's directories in ~/.var/app, or one that it was granted.",
    );
  }
  if (writable && !isWritableHere) {
    throw sandboxError(
      "NOT_PERMITTED",
      `This application can only read “${shown}” itself, and so cannot grant it to be written. Grant it with “:ro”, or ` +
        "give the application the right to write there.",
    );
  }
}

/** Places descriptors in the message, and remembers the numbers that they get. */
class DescriptorList {
  readonly descriptors: PlannedDescriptor[] = [];
  readonly numbers = new Map<number, number>();

  /** Adds one, and gives its place. */
  add(descriptor: PlannedDescriptor): number {
    return this.descriptors.push(descriptor) - 1;
  }

  give(number: number, descriptor: PlannedDescriptor): void {
    this.numbers.set(number, this.add(descriptor));
  }
}

function unavailable(why: string): GLibError {
  return sandboxError("NOT_AVAILABLE", `No sandbox is available. Flatpak's portal: ${why}`);
}

function notEnforceable(message: string): GLibError {
  return sandboxError("NOT_ENFORCEABLE", message);
}
