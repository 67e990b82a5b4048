import type { MakeOrder } from "../init/encode.js";
import { encodeHello, encodeLaunch } from "../init/encode.js";
import { Bound, HelloFlag, Origin } from "../init/protocol.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import { compileSyscallPolicy } from "../seccomp/compile-policy.js";
import { sandboxFilter } from "../seccomp/sandbox-filter.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { CommandRequest } from "../subprocess/launch-request.js";
import type { BubblewrapFacts } from "./bubblewrap-facts.js";
import { checkTargets, isTmpfsWatched } from "./child-limits.js";
import type { DesktopPlan } from "./desktop-plan.js";
import { desktopEnvironment, emptyDesktop } from "./desktop-plan.js";
import { furnishing } from "./furnishing.js";
import type { HostFacts, ResolvedMount } from "./host-facts.js";
import type { HiddenPath } from "./host-path.js";
import { isWithin } from "./host-path.js";
import type { BubblewrapPlan, PlannedDescriptor } from "./launch-plan.js";
import { joined, SINGLE_PROCESS } from "./launch-plan.js";
import type { ChildFilters, ProcessLaunch } from "./process-launch.js";
import { launchOrder, sourcesOf } from "./process-launch.js";
import type { Operation } from "./root-filesystem.js";
import {
  bubblewrapCovers,
  DEFAULT_TMPFS_SIZE,
  hostSettings,
  networkFiles,
  ownDirectories,
  privateOptions,
  rootFilesystem,
  sharedMemory,
} from "./root-filesystem.js";

/** What a sandbox is to be, whatever runs in it. */
export interface BubblewrapRequest {
  readonly host: HostFacts;
  readonly bubblewrap: BubblewrapFacts;
  readonly permissions: PermissionSet;
  /** The granted paths, in any order; their places here are those of the shell's O_PATH descriptors. */
  readonly mounts: readonly ResolvedMount[];
  /** What of the desktop is in it; its mounts are among `mounts`. */
  readonly desktop: DesktopPlan;
  /** The program that bwrap is to start as pid 1. */
  readonly pid1: "init" | { readonly program: string };
  /** Init is to make the root directory: see `furnishing()`. Absent: bwrap does. */
  readonly isFurnished?: boolean;
  /**
   * Where each of the mounts is on the host: absolute, without links. They are brought by the directories that they are in then,
   * which takes less time for many. Absent: each by itself.
   */
  readonly places?: readonly string[] | undefined;
}

/** The sandbox's name for itself, in place of the host's. */
const HOSTNAME = "sandbox";

/** bwrap 0.8 to 0.11 count the words of `--args` and of the command line together (MAX_ARGS). */
const MAX_WORDS = 9000;

/**
 * The plan for one command in a sandbox of its own.
 *
 * @throws GLibError `gio-sandbox-error-quark` LIMIT_EXCEEDED for more than bwrap or init can take, INVALID_PERMISSION for
 *   system calls that do not exist; `g-exec-error-quark` for arguments and descriptors that no child could have
 */
export function planBubblewrap(request: BubblewrapRequest, command: CommandRequest): BubblewrapPlan {
  const { permissions, mounts, desktop } = request;
  checkTargets(command.descriptors, permissions);
  const sandbox = planSandbox(request);
  const firstOfChild = sandbox.descriptors.length;
  const sources = sourcesOf(command);
  const place = (source: number): number => firstOfChild + sources.indexOf(source);
  const settled = { ...command, environment: desktopEnvironment(command.environment, desktop) };
  const tmpfs = isTmpfsWatched(permissions) ? ownDirectories(request.host.uid, mounts) : [];
  const filters = childFilters(request);
  const launch: ProcessLaunch = { process: SINGLE_PROCESS, command: settled, permissions, mounts, filters, tmpfs };
  return {
    ...sandbox,
    descriptors: [...sandbox.descriptors, ...sources.map((index): PlannedDescriptor => ({ kind: "child", index }))],
    frames: () => joined(greeting(sandbox, HelloFlag.SINGLE_USE), encodeLaunch(launchOrder(launch, Origin.INHERITED, place))),
  };
}

/** HELLO, and what belongs to it. */
function greeting({ furnish }: SandboxPlan, helloFlags: number): Uint8Array {
  return furnish === null ? encodeHello(helloFlags) : joined(encodeHello(helloFlags | HelloFlag.FURNISH), furnish());
}

/** The filters that init puts upon each child, in addition to that of the sandbox. */
function childFilters({ permissions, host }: BubblewrapRequest): readonly Uint8Array[] {
  if (permissions.syscalls.kind === "default") return [];
  const { child } = compileSyscallPolicy(permissions.syscalls, host.architecture);
  return child === null ? [] : [child.bytes];
}

/**
 * The plan for a sandbox that commands are put into later: see `planProcess()`.
 *
 * @param helloFlags bits of `HelloFlag`
 * @throws GLibError `gio-sandbox-error-quark` LIMIT_EXCEEDED for more than bwrap can take
 */
export function planOpenBubblewrap(request: BubblewrapRequest, helloFlags: number): BubblewrapPlan & ChildFilters {
  const sandbox = planSandbox(request);
  return { ...sandbox, frames: () => greeting(sandbox, helloFlags), filters: childFilters(request) };
}

/** The plan for a template, and how sandboxes are made after its example. */
export interface TemplatePlan extends BubblewrapPlan, ChildFilters {
  readonly make: Omit<MakeOrder, "process">;
}

/**
 * The plan for a template of sandboxes: the same files and namespaces, but its init keeps what rights it needs to make them,
 * and nothing else ever runs in it.
 *
 * @returns null for sandboxes of which each needs something that bwrap makes anew, or for which there is too much to carry
 * @throws GLibError as `planOpenBubblewrap()`
 */
export function planTemplate(request: BubblewrapRequest): TemplatePlan | null {
  const { host, permissions, mounts, desktop } = request;
  const own = ownDirectories(host.uid, mounts);
  const carried = outermost(mounts.map(({ path }) => path).filter((path) => own.some((directory) => isWithin(path, directory))));
  const isLinked = mounts.some(({ path }) => ["/var/tmp", "/var/run"].some((link) => isWithin(path, link)));
  if (!isBare(desktop) || isLinked || carried.length > Bound.MAX_CARRIED) return null;
  const tmpfsSize = tmpfsSizeOf(permissions);
  const plan = new SandboxBuilder(request, isolationWithRights(permissions)).build();
  return {
    ...plan,
    frames: () => encodeHello(HelloFlag.TEMPLATE),
    filters: childFilters(request),
    make: {
      hasOwnNetwork: !permissions.shared.has("network"),
      hasOwnIpc: !permissions.shared.has("ipc"),
      userMap: `${host.uid} 0 1`,
      groupMap: `${host.gid} 0 1`,
      privateDirectories: own.map((path) => ({ path, options: privateOptions(path, tmpfsSize) })),
      carried,
      covers: [...new Set([...bubblewrapCovers, ...hostSettings])],
      filters: [sandboxFilter(host.architecture).bytes],
    },
  };
}

function outermost(paths: readonly string[]): string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => other !== path && isWithin(path, other)));
}

/** The plan that shows whether bwrap works here: the real arguments, on a program that does nothing. */
export function planBubblewrapProbe(
  host: HostFacts,
  bubblewrap: BubblewrapFacts,
  permissions: PermissionSet,
  mounts: readonly ResolvedMount[] = [],
): BubblewrapPlan {
  const request: BubblewrapRequest = { host, bubblewrap, permissions, mounts, desktop: emptyDesktop, pid1: { program: "/usr/bin/true" } };
  return { ...new SandboxBuilder(request).build(), frames: () => new Uint8Array(0) };
}

interface SandboxPlan extends Omit<BubblewrapPlan, "frames"> {
  /** Makes the FURNISH frame; null if bwrap makes the root directory. */
  readonly furnish: (() => Uint8Array) | null;
}

/** A plan again, if the last one for these permissions was for the same. */
function planSandbox(request: BubblewrapRequest): SandboxPlan {
  const { permissions, desktop } = request;
  if (!isBare(desktop)) return planAnew(request);
  const last = lastPlans.get(permissions);
  if (last !== undefined && isSame(last.request, request)) return last.plan;
  const plan = planAnew(request);
  lastPlans.set(permissions, { request, plan });
  return plan;
}

function planAnew(request: BubblewrapRequest): SandboxPlan {
  const plan = new SandboxBuilder(request).build();
  return request.isFurnished === true ? (planFurnished(plan, request) ?? plan) : plan;
}

/** Null for what init does not do. */
function planFurnished(plan: SandboxPlan, { host, permissions, bubblewrap, places }: BubblewrapRequest): SandboxPlan | null {
  const begin: readonly PlannedDescriptor[] = [...ownDescriptors, { kind: "init" }];
  const furnished = furnishing(plan, { ...host, first: begin.length, places });
  if (furnished === null) return null;
  const words = [...isolationWithRights(permissions), ...furnished.words];
  const descriptors = [...begin, ...furnished.descriptors, { kind: "data", bytes: argumentData(words) } as const];
  const argv = ["--args", String(descriptors.length - 1), "--", `/proc/self/fd/${begin.length - 1}`, "3"];
  return { program: bubblewrap.path, argv, descriptors, furnish: furnished.frame };
}

/** Those that bwrap always has: of init's, the control socket is descriptor 3. */
const ownDescriptors: readonly PlannedDescriptor[] = [
  ...[{ kind: "null" }, { kind: "null" }, { kind: "diagnostics" }, { kind: "control" }] as const,
];

const lastPlans = new WeakMap<PermissionSet, { readonly request: BubblewrapRequest; readonly plan: SandboxPlan }>();

/** Whether there is nothing that is made anew for each sandbox. */
function isBare({ directories, files, links, hidden }: DesktopPlan): boolean {
  return directories.length + files.length + links.length + hidden.length === 0;
}

function isSame(one: BubblewrapRequest, other: BubblewrapRequest): boolean {
  return (
    one.host === other.host &&
    one.bubblewrap === other.bubblewrap &&
    one.pid1 === other.pid1 &&
    one.isFurnished === other.isFurnished &&
    one.places?.length === other.places?.length &&
    (one.places ?? []).every((place, index) => other.places?.[index] === place) &&
    one.mounts.length === other.mounts.length &&
    one.mounts.every(({ path, writable, nodes }, index) => {
      const mount = other.mounts[index];
      return mount?.path === path && mount.writable === writable && mount.nodes === nodes;
    })
  );
}

/** Numbers the descriptors as it writes the arguments that name them. */
class SandboxBuilder {
  readonly #request: BubblewrapRequest;
  readonly #isolationWithRights: readonly string[] | null;
  readonly #words: string[] = [];
  readonly #descriptors: PlannedDescriptor[] = [...ownDescriptors];

  /** @param isolation what bwrap is told in place of what a sandbox needs that programs run in */
  constructor(request: BubblewrapRequest, isolation: readonly string[] | null = null) {
    this.#request = request;
    this.#isolationWithRights = isolation;
  }

  build(): SandboxPlan {
    const { bubblewrap, pid1 } = this.#request;
    const command = pid1 === "init" ? this.#initCommand() : [pid1.program];
    if (this.#isolationWithRights === null) {
      this.#words.push(...namespaces(this.#request.permissions), ...isolation);
      this.#systemCalls();
    } else {
      this.#words.push(...this.#isolationWithRights);
    }
    this.#filesystem();
    const words = this.#words;
    if (words.length + command.length + 3 > MAX_WORDS) {
      throw sandboxError(
        "LIMIT_EXCEEDED",
        `The sandbox needs ${words.length} words of arguments, and bwrap takes at most ${MAX_WORDS}. Grant fewer paths.`,
      );
    }
    const data = this.#add({ kind: "data", bytes: argumentData(words) });
    return { program: bubblewrap.path, argv: ["--args", data, "--", ...command], descriptors: this.#descriptors, furnish: null };
  }

  /** Adds a descriptor and gives its number as bwrap's arguments have it. */
  #add(descriptor: PlannedDescriptor): string {
    return String(this.#descriptors.push(descriptor) - 1);
  }

  /** Started from its descriptor, so that no path of the host has to be there; the control socket is descriptor 3. */
  #initCommand(): readonly string[] {
    return [`/proc/self/fd/${this.#add({ kind: "init" })}`, "3"];
  }

  /** What holds in every sandbox, for init as well; the policy's own filter is for the child, and init installs it. */
  #systemCalls(): void {
    const { bytes } = sandboxFilter(this.#request.host.architecture);
    this.#words.push("--seccomp", this.#add({ kind: "data", bytes }));
  }

  #filesystem(): void {
    const { host, permissions, mounts } = this.#request;
    const tmpfsSize = this.#isolationWithRights === null ? tmpfsSizeOf(permissions) : null;
    const order = mountingOrder(mounts);
    const devices = order.filter(({ mount }) => isWithin(mount.path, "/dev"));
    const others = order.filter((placed) => !devices.includes(placed));
    const ownMemory = devices.some(({ mount }) => mount.path === "/dev/shm") ? [] : [sharedMemory(tmpfsSize)];
    const inDevices = [...devices.map((placed) => this.#mount(placed)), ...ownMemory];
    rootFilesystem(host, tmpfsSize, inDevices).forEach((operation) => this.#operation(operation));
    if (permissions.shared.has("network")) networkFiles().forEach((operation) => this.#operation(operation));
    this.#privateParts();
    this.#mountsAndCovers(others);
    this.#words.push("--remount-ro", "/");
  }

  #operation(operation: Operation): void {
    if ("file" in operation) {
      const fd = this.#add({ kind: "data", bytes: operation.bytes });
      this.#words.push("--perms", operation.mode, "--file", fd, operation.file);
    } else {
      this.#words.push(...operation);
    }
  }

  /** Before anything is mounted: none of it is made on the host, even by a mistake of ours. */
  #privateParts(): void {
    const { directories, files, links } = this.#request.desktop;
    for (const path of directories) this.#words.push("--perms", "0700", "--dir", path);
    for (const { path: file, bytes, mode } of files) this.#operation({ file, bytes, mode });
    for (const { path, target } of links) this.#words.push("--symlink", target, path);
  }

  /** In each directory what is hidden comes after that directory, and what is granted in a hidden one after that. */
  #mountsAndCovers(mounts: readonly OrderedMount[]): void {
    const { hidden } = this.#request.desktop;
    const covers = [...hidden].sort((a, b) => depth(a.path) - depth(b.path));
    for (const placed of mounts) {
      while (covers[0] !== undefined && depth(covers[0].path) <= depth(placed.mount.path)) this.#cover(covers.shift());
      this.#operation(this.#mount(placed));
    }
    covers.forEach((cover) => this.#cover(cover));
    for (const { path, kind } of hidden) if (kind === "directory") this.#words.push("--remount-ro", path);
  }

  #cover(cover: HiddenPath | undefined): void {
    if (cover === undefined) return;
    const { path, kind } = cover;
    if (kind === "directory") this.#words.push("--perms", "0555", "--size", "4096", "--tmpfs", path);
    else this.#words.push("--perms", "0000", "--ro-bind-data", this.#add({ kind: "data", bytes: new Uint8Array(0) }), path);
  }

  #mount({ mount, index }: OrderedMount): readonly string[] {
    return this.#bind(this.#add({ kind: "granted", index }), mount);
  }

  #bind(fd: string, { path, writable, nodes }: ResolvedMount): string[] {
    // bwrap has no such option for descriptors: here it looks the link up again too
    if (nodes === "usable") return ["--dev-bind", `/proc/self/fd/${fd}`, path];
    const option = writable ? "--bind" : "--ro-bind";
    // An older bwrap looks the link up again, by name: init compares what came of it with the mount's identity.
    return this.#request.bubblewrap.options.has(`${option}-fd`)
      ? [`${option}-fd`, fd, path]
      : [option, `/proc/self/fd/${fd}`, path];
  }
}

function tmpfsSizeOf({ limits }: PermissionSet): number {
  return limits.get("tmpfs") ?? DEFAULT_TMPFS_SIZE;
}

function namespaces({ shared }: PermissionSet): readonly string[] {
  return [
    ...(shared.has("ipc") ? namespacesWithoutIpc : ["--unshare-all", "--unshare-user"]),
    ...(shared.has("network") ? ["--share-net"] : []),
  ];
}

// No --die-with-parent. It kills bwrap when the launcher dies, and if that comes just before bwrap lets its own child
// go on (after clone(), it waits on an eventfd that nobody will ever write to again), that child is left for good with
// all its descriptors. Without it bwrap finishes; init finds its control socket at its end, and exits, and bwrap with
// it. If bwrap itself is killed, init has asked the kernel for its own end.
const alone = ["--new-session", "--as-pid-1", "--clearenv", "--cap-drop", "ALL", "--hostname", HOSTNAME];

const isolation = ["--disable-userns", ...alone];

/**
 * The user is root in the namespace that the mounts belong to, or else bwrap would leave that for another one in the end. The
 * capabilities are those that `HelloFlag.TEMPLATE` needs.
 */
function isolationWithRights(permissions: PermissionSet): readonly string[] {
  const capabilities = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETFCAP"].flatMap((capability) => ["--cap-add", capability]);
  return [...namespaces(permissions), ...alone, "--uid", "0", "--gid", "0", ...capabilities];
}

/** `--unshare-all` without the IPC namespace, for which bwrap has no opposite. */
const namespacesWithoutIpc = [
  ...["--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"],
];

interface OrderedMount {
  readonly mount: ResolvedMount;
  readonly index: number;
}

/** Parents before what lies in them, since a later mount hides what is below it. */
function mountingOrder(mounts: readonly ResolvedMount[]): OrderedMount[] {
  const order = mounts.map((mount, index) => ({ mount, index }));
  return order.sort((a, b) => depth(a.mount.path) - depth(b.mount.path) || a.index - b.index);
}

function depth(path: string): number {
  return path.split("/").length;
}

function argumentData(words: readonly string[]): Uint8Array {
  return new TextEncoder().encode(words.map((word) => `${word}\0`).join(""));
}
