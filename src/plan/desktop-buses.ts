import type { PermissionSet } from "../permissions/permission-set.js";
import { printable } from "../subprocess/printable.js";
import type { BusName } from "./bus-proxy.js";
import { a11yBusRules, sessionBusRules, systemBusRules } from "./bus-proxy.js";
import type { BusSocket, DesktopFacts, HostFacts } from "./host-facts.js";
import type { HostPart } from "./host-path.js";
import { sandboxDirectories } from "./root-filesystem.js";

/** A message bus that the child reaches. */
export interface BusPart {
  readonly bus: BusName;
  readonly part: HostPart;
  /** Options for xdg-dbus-proxy, without which the child gets the bus's own socket; null: it gets that, and all of the bus. */
  readonly rules: readonly string[] | null;
  /** Where the child sees it. */
  readonly target: string;
  readonly upstream: readonly BusSocket[];
}

/**
 * The message buses that permissions name.
 *
 * `socket=session-bus` and `socket=system-bus` are all of a bus, as with Flatpak: the child gets its socket, and can have
 * other programs start what it likes. Everything else goes through xdg-dbus-proxy.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION, NOT_ENFORCEABLE as `sessionBusRules()`
 */
export function busParts(permissions: PermissionSet, host: HostFacts, desktop: DesktopFacts): readonly BusPart[] {
  const { runtime } = sandboxDirectories(host.uid);
  const { sockets, optionalSockets, a11y, portals } = permissions;
  const buses: readonly BusWish[] = [
    {
      ...{ bus: "session", target: `${runtime}/bus`, upstream: desktop.sessionBus, variable: "DBUS_SESSION_BUS_ADDRESS" },
      permission: sockets.has("session-bus") ? "socket=session-bus" : portals ? "portals" : "session bus policy",
      ...{ isWhole: sockets.has("session-bus"), rules: sessionBusRules(permissions) },
      hint: "neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR names a socket",
    },
    {
      ...{ bus: "system", target: "/run/dbus/system_bus_socket", upstream: desktop.systemBus },
      variable: "DBUS_SYSTEM_BUS_ADDRESS",
      permission: sockets.has("system-bus") ? "socket=system-bus" : "system bus policy",
      ...{ isWhole: sockets.has("system-bus"), rules: systemBusRules(permissions) },
      hint: "DBUS_SYSTEM_BUS_ADDRESS names no socket",
    },
    {
      ...{ bus: "a11y", target: `${runtime}/at-spi-bus`, upstream: desktop.a11yBus, variable: "AT_SPI_BUS_ADDRESS" },
      ...{ permission: "a11y", isWhole: false, rules: a11y ? a11yBusRules : null },
      hint: "neither AT_SPI_BUS_ADDRESS is set, nor does org.a11y.Bus on the session bus give an address",
    },
  ];
  const wanted = buses.filter(({ isWhole, rules }) => isWhole || rules !== null).map(busPart);
  const isOptional = ({ bus, rules }: BusPart): boolean =>
    rules === null && ((bus === "session" && optionalSockets.has("session-bus")) || (bus === "system" && optionalSockets.has("system-bus")));
  return wanted.map((part) => (isOptional(part) ? { ...part, part: { ...part.part, missing: null } } : part));
}

interface BusWish extends Omit<BusPart, "part"> {
  readonly permission: string;
  readonly isWhole: boolean;
  readonly variable: string;
  /** What it means that there is no address. */
  readonly hint: string;
}

function busPart({ bus, target, upstream, variable, permission, isWhole, rules, hint }: BusWish): BusPart {
  const candidates = upstream.filter(({ kind }) => kind === "path").map(({ name }) => name);
  const abstract = upstream.some(({ kind }) => kind === "abstract");
  const looked = upstream.map(({ kind, name }) => printable(kind === "path" ? name : `@${name}`, 200)).join(" and ");
  const reason = upstream.length === 0 ? hint : `looked for a socket at ${looked}`;
  return {
    ...{ bus, rules: isWhole ? null : rules, target, upstream },
    part: {
      wanted: { permission, candidates, type: "socket", ifMissing: "skip" },
      target: isWhole ? target : null,
      access: "ro",
      missing: abstract ? null : `${permission}: there is no ${busWord[bus]} bus: ${reason}`,
      applies: "always",
      extras: { variables: { [variable]: `unix:path=${target}` } },
    },
  };
}

const busWord: Readonly<Record<BusName, string>> = { session: "session", system: "system", a11y: "accessibility" };
