import type { FlatpakContext } from "../confinement/flatpak-info.js";
import type { PermissionSet } from "../permissions/permission-set.js";
import type { DesktopGrant, DesktopPlan, DesktopVariable } from "./desktop-plan.js";
import { emptyDesktop } from "./desktop-plan.js";
import { withoutLacking } from "./flatpak-portal-permissions.js";
import { displaySocket, parseDisplay } from "./x-display.js";

/** The variables of the application itself. */
export type ApplicationVariables = Readonly<Record<string, string | undefined>>;

/**
 * What of the desktop is in a sandbox of the portal's, and the variables by which it is found. Flatpak puts it at the same
 * places in every instance of an application (common/flatpak-run.c), so that the application's own variables lead there;
 * init starts from none.
 *
 * @param runtime the XDG_RUNTIME_DIR of all instances
 */
export function portalDesktop(
  wanted: PermissionSet,
  held: FlatpakContext,
  application: ApplicationVariables,
  runtime: string,
): DesktopPlan {
  const permissions = withoutLacking(wanted, held);
  const parts = partsOf(permissions, application, runtime).filter((part) => part.path !== null);
  const grants = parts.map(({ permission, path, mechanism }): DesktopGrant => {
    return { permission, source: path, target: path, mechanism };
  });
  const names = new Set(parts.flatMap(({ variables }) => variables));
  const variables = [...names].flatMap((name): DesktopVariable[] => {
    const value = application[name] ?? "";
    return value === "" ? [] : [{ name, value, over: null }];
  });
  return { ...emptyDesktop, grants, variables };
}

interface PortalPart {
  readonly permission: string;
  /** Its socket; null where the application has none. */
  readonly path: string | null;
  readonly mechanism: "mount" | "bus-proxy";
  readonly variables: readonly string[];
}

function partsOf({ sockets, portals, a11y }: PermissionSet, application: ApplicationVariables, runtime: string): PortalPart[] {
  const value = (name: string): string => application[name] ?? "";
  const socket = (word: string, path: string | null, variables: readonly string[]): PortalPart => {
    return { permission: `socket=${word}`, path, mechanism: "mount", variables };
  };
  const bus = (permission: string, variable: string): PortalPart => {
    return { permission, path: unixPath(value(variable), "unix:path="), mechanism: "bus-proxy", variables: [variable] };
  };
  const x11 = sockets.has("x11") ? "x11" : sockets.has("fallback-x11") ? "fallback-x11" : null;
  return [
    ...(x11 === null ? [] : [socket(x11, displayPath(value("DISPLAY")), ["DISPLAY", "XAUTHORITY"])]),
    ...(sockets.has("wayland") ? [socket("wayland", waylandPath(value("WAYLAND_DISPLAY"), runtime), ["WAYLAND_DISPLAY"])] : []),
    ...(sockets.has("pulseaudio")
      ? [socket("pulseaudio", unixPath(value("PULSE_SERVER"), "unix:"), ["PULSE_SERVER", "PULSE_CLIENTCONFIG"])]
      : []),
    ...(portals ? [bus("portals", "DBUS_SESSION_BUS_ADDRESS")] : []),
    ...(a11y ? [bus("a11y", "AT_SPI_BUS_ADDRESS")] : []),
  ];
}

function displayPath(display: string): string | null {
  const parsed = parseDisplay(display);
  return parsed?.host === null ? displaySocket(parsed) : null;
}

function waylandPath(display: string, runtime: string): string | null {
  if (display === "") return null;
  return display.startsWith("/") ? display : `${runtime}/${display}`;
}

/** Flatpak writes these addresses itself, in one form. */
function unixPath(address: string, prefix: string): string | null {
  const path = address.startsWith(prefix) ? (address.slice(prefix.length).split(",")[0] ?? "") : "";
  return path.startsWith("/") ? path : null;
}
