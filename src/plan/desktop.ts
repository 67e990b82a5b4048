import type { PermissionSet } from "../permissions/permission-set.js";
import { sandboxError } from "../subprocess/glib-error.js";
import type { BusUpstream, ProxiedBus, SandboxIdentity } from "./bus-proxy.js";
import { addressValue, FLATPAK_INFO, flatpakInfo } from "./bus-proxy.js";
import type { BusPart } from "./desktop-buses.js";
import { busParts } from "./desktop-buses.js";
import type { DesktopGrant, DesktopPlan, DesktopVariable } from "./desktop-plan.js";
import { socketParts } from "./desktop-sockets.js";
import { deviceParts, graphicsLinks } from "./devices.js";
import type { DesktopFacts, HostFacts } from "./host-facts.js";
import type { FoundPath, HiddenPath, HostPart, PlacedMount, PrivateFile } from "./host-path.js";
import { isWithin, toMount } from "./host-path.js";
import { privateHome } from "./private-home.js";

/** What the permissions ask of the desktop: sockets, devices and buses. A shell looks their paths up for `planDesktop()`. */
export interface DesktopWishes {
  /** In their order the shell answers with what it found. */
  readonly parts: readonly HostPart[];
  /** They come last among the parts. */
  readonly buses: readonly BusPart[];
}

/** @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE, NOT_ENFORCEABLE, INVALID_PERMISSION, as the parts say */
export function desktopWishes(permissions: PermissionSet, host: HostFacts, desktop: DesktopFacts): DesktopWishes {
  const buses = busParts(permissions, host, desktop);
  const others = [...socketParts(permissions, host, desktop), ...deviceParts(permissions, desktop)];
  return { parts: [...others, ...buses.map(({ part }) => part)], buses };
}

export interface DesktopRequest {
  readonly permissions: PermissionSet;
  readonly host: HostFacts;
  readonly desktop: DesktopFacts;
  readonly wishes: DesktopWishes;
  /** What there is of each part of the wishes, in their order. */
  readonly found: readonly (FoundPath | null)[];
  /** The file systems that are granted besides. */
  readonly granted: readonly PlacedMount[];
  readonly hidden: readonly HiddenPath[];
  readonly identity: SandboxIdentity;
}

/**
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE for what is not there; INVALID_PERMISSION for a granted
 *   directory in which something of the sandbox's own would have to be made
 */
export function planDesktop(request: DesktopRequest): DesktopPlan {
  const builder = new DesktopBuilder(request);
  return builder.build();
}

class DesktopBuilder {
  readonly #request: DesktopRequest;
  readonly #mounts = new Map<string, PlacedMount>();
  readonly #files: PrivateFile[] = [];
  readonly #directories: string[] = [];
  readonly #variables: DesktopVariable[] = [];
  readonly #buses: { readonly proxied: ProxiedBus; readonly upstream: BusUpstream }[] = [];
  readonly #grants: DesktopGrant[] = [];

  constructor(request: DesktopRequest) {
    this.#request = request;
  }

  build(): DesktopPlan {
    const { permissions, host, desktop, wishes, found, granted, hidden, identity } = this.#request;
    const firstBus = wishes.parts.length - wishes.buses.length;
    this.#checkPresence();
    wishes.parts.slice(0, firstBus).forEach((part, index) => this.#add(part, found[index] ?? null));
    wishes.buses.forEach((bus, index) => this.#addBus(bus, found[firstBus + index] ?? null));
    const info = permissions.portals ? flatpakInfo(identity, permissions) : null;
    if (info !== null) this.#files.push({ path: FLATPAK_INFO, bytes: info, mode: "0444" });
    const home = privateHome(permissions, host, desktop, granted);
    return {
      mounts: [...this.#mounts.values()],
      files: [...this.#files, ...home.files],
      links: [...graphicsLinks(permissions, desktop), ...home.links],
      hidden,
      directories: this.#directories,
      variables: [...this.#variables, ...home.variables],
      buses: this.#buses,
      info,
      grants: this.#grants,
    };
  }

  #checkPresence(): void {
    const { parts } = this.#request.wishes;
    const missing = parts.find((part, index) => {
      if (part.missing === null || this.#isThere(index)) return false;
      return part.orElse === undefined || !this.#isAnyThere(part.orElse);
    });
    if (missing !== undefined) throw sandboxError("NOT_AVAILABLE", missing.missing ?? "");
  }

  #isThere(index: number): boolean {
    const part = this.#request.wishes.parts[index];
    const isPresent = (this.#request.found[index] ?? null) !== null;
    return isPresent || (part?.applies === "always" && part.missing === null);
  }

  #isAnyThere(permission: string): boolean {
    return this.#request.wishes.parts.some((part, index) => part.wanted.permission === permission && this.#isThere(index));
  }

  #add(part: HostPart, found: FoundPath | null): void {
    if (part.unless !== undefined && this.#isAnyThere(part.unless)) return;
    if (found === null && part.applies !== "always") return;
    const { permission } = part.wanted;
    if (found !== null && part.target !== null) this.#mount(found, part.target, part.access, permission);
    const { variables = {}, files = [], directories = [] } = part.extras ?? {};
    for (const path of [...directories, ...files.map((file) => file.path)]) this.#checkPrivate(path, permission);
    this.#files.push(...files);
    this.#directories.push(...directories);
    for (const [name, value] of Object.entries(variables)) this.#variables.push({ name, value, over: null });
    if (found === null) this.#grants.push({ permission, source: null, target: null, mechanism: "host-network" });
  }

  #addBus({ bus, part, rules, target, upstream }: BusPart, found: FoundPath | null): void {
    const { permission } = part.wanted;
    const variables = Object.keys(part.extras?.variables ?? {});
    const address = (value: string): void => {
      for (const name of variables) this.#variables.push({ name, value, over: null });
    };
    const abstract = upstream.find(({ kind }) => kind === "abstract")?.name ?? null;
    if (found === null && abstract === null) return;
    if (rules === null && found !== null) {
      this.#mount(found, target, "ro", permission);
      address(`unix:path=${target}`);
    } else if (rules === null && abstract !== null && this.#request.permissions.shared.has("network")) {
      this.#grants.push({ permission, source: `@${abstract}`, target: null, mechanism: "host-network" });
      address(`unix:abstract=${addressValue(abstract)}`);
    } else {
      // An abstract socket is not reached from a network of one's own: the proxy, which is not there, passes everything on.
      this.#checkPrivate(target, permission);
      const source = found === null ? `@${abstract ?? ""}` : found.path;
      this.#grants.push({ permission, source, target, mechanism: "bus-proxy" });
      this.#buses.push({
        proxied: { bus, rules: rules ?? [], target },
        upstream: found === null ? { kind: "abstract", name: abstract ?? "" } : { kind: "path", descriptor: found.descriptor },
      });
      address(`unix:path=${target}`);
    }
  }

  #mount(found: FoundPath, target: string, access: HostPart["access"], permission: string): void {
    this.#grants.push({ permission, source: found.path, target, mechanism: "mount" });
    const around = this.#request.granted.find(({ path }) => isWithin(target, path));
    // it is seen there already, with the directory
    if (around !== undefined && around.source === around.path && found.path === target) return;
    this.#checkPrivate(target, permission);
    if (!this.#mounts.has(target)) this.#mounts.set(target, toMount(found, target, access));
  }

  /** Nothing of the sandbox's own is made in a directory of the host. */
  #checkPrivate(path: string, permission: string): void {
    const around = this.#request.granted.find((mount) => isWithin(path, mount.path));
    if (around === undefined) return;
    throw sandboxError(
      "INVALID_PERMISSION",
      `${around.path} cannot be granted together with ${permission}: ${path} would have to be made in it, on the host. ` +
        `Grant the directories in ${around.path} that are needed.`,
    );
  }
}

/** Adds the sockets of a proxy that runs: one for each of the plan's buses, in their order. */
export function withBusSockets(plan: DesktopPlan, sockets: readonly FoundPath[]): DesktopPlan {
  const mounts = plan.buses.flatMap(({ proxied }, index) => {
    const socket = sockets[index];
    return socket === undefined ? [] : [toMount(socket, proxied.target, "ro")];
  });
  return { ...plan, mounts: [...plan.mounts, ...mounts] };
}
