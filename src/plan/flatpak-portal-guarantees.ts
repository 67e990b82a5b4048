import type { FlatpakInfo } from "../confinement/flatpak-info.js";
import type { PortalFacts } from "../confinement/portal-facts.js";
import type { GuaranteeFacts, Observation, Statement, Statements } from "./guarantees.js";
import { Mechanism, Outside } from "./guarantees.js";
import type { LimitFacts } from "./limit-mechanisms.js";
import type { SandboxFacts, SandboxTraits } from "./sandbox-statements.js";
import {
  buses,
  devices,
  display,
  environment,
  filesystem,
  ipc,
  lifetime,
  network,
  privileges,
  processIds,
  resources,
  syscalls,
} from "./sandbox-statements.js";

/** What a report of a sandbox of the portal's follows from. The host in it is what the application sees of it. */
export interface PortalGuaranteeFacts extends GuaranteeFacts {
  readonly app: FlatpakInfo;
  /** What the portal says of itself; null as long as nobody has asked it. */
  readonly portal: PortalFacts | null;
  /** The child's XDG_RUNTIME_DIR. */
  readonly runtime: string;
  /** What limits depend on. */
  readonly limitFacts: LimitFacts;
}

/**
 * What the sandbox guarantees that Flatpak's portal makes for a child. It is another instance of the application: Flatpak
 * makes the namespaces and the filter that every Flatpak has, and gio-sandbox-init in it does the rest.
 *
 * Outside is what the application itself sees, in its own instance.
 */
export function portalGuarantees(portalFacts: PortalGuaranteeFacts): Statements {
  const traits = traitsOf(portalFacts);
  const facts: SandboxFacts = { ...portalFacts, traits };
  return {
    filesystem: filesystem(facts, [
      "It finds the application in /app and its runtime in /usr, read-only, and nothing of the application's own data.",
      "Everything else is its own, in memory, and gone with it: /tmp, its home, its runtime directory, also the rest of the root.",
      "/etc is the runtime's with the host's machine-id, user and time zone in it; /run/host has the host's fonts and icons.",
      "It sees of /sys what every Flatpak sees: the machine's devices by name.",
    ]),
    network: network(facts),
    "process-ids": processIds(facts, processSentences(portalFacts, traits)),
    ipc: ipc(facts),
    buses: withOwnNames(buses(facts), portalFacts),
    display: display(facts),
    devices: devices(facts),
    syscalls: syscalls(facts, [
      "Flatpak's own filter comes first: it can make no call that a Flatpak cannot make, whatever was named.",
      "What --allow=devel, bluetooth or canbus lets the application do is not for it.",
      "Programs for other kinds of processor, as 32-bit ones, run only if the application has --allow=multiarch: else SIGSYS.",
    ]),
    privileges: privileges(facts, privilegeSentences(portalFacts)),
    environment: environment(facts, ["Its umask is that of the portal's service, which need not be the application's."]),
    resources: resources(facts, [
      "Other limits are those of the portal's service, too.",
      "Nothing but memory bounds its private directories. It sees the name of its control group on the host.",
    ]),
    lifetime: lifetime(facts),
  };
}

function traitsOf({ permissions, portal, runtime, limitFacts }: PortalGuaranteeFacts): SandboxTraits {
  const namespaces = { cgroup: "the host's", user: null, uts: "the host's" } as const;
  return {
    makers: [Mechanism.FLATPAK],
    init: 2,
    signalToInit: hasLandlockForSignals(limitFacts) ? "EPERM" : "OK",
    shares: permissions.shared,
    // to be seen from the application's pid namespace, the sandbox has to be in its user namespace
    namespaces: portal === null ? namespaces : { ...namespaces, user: portal.supportsExposedPids ? "the host's" : "own" },
    hostName: null,
    runtime,
    busSockets: [`${runtime}/bus`, "/run/flatpak/bus", "/run/dbus/system_bus_socket"],
    // bwrap keeps the bounding set when it joins a user namespace
    process: portal === null ? {} : { "capability-bounds": portal.supportsExposedPids ? "some" : "none" },
    otherLimits: "unknown",
    // Flatpak's filter, which the application has too, is asked before the kernel
    beyondFilter: () => Outside.SAME,
  };
}

/** Landlock keeps signals apart since Linux 6.12. */
function hasLandlockForSignals({ kernelRelease }: LimitFacts): boolean {
  const [major = 0, minor = 0] = kernelRelease.split(".").map(Number.parseFloat);
  return major > 6 || (major === 6 && minor >= 12);
}

function processSentences({ portal }: PortalGuaranteeFacts, { signalToInit }: SandboxTraits): string[] {
  return [
    "It sees the processes that it starts, Flatpak's bwrap as process 1 and gio-sandbox-init as process 2, and no others: ESRCH.",
    "It cannot look into processes 1 and 2.",
    signalToInit === "EPERM"
      ? "It can signal only what it has started, others in the same sandbox neither: EPERM, by Landlock."
      : "It can stop or kill init, which ends the sandbox: Landlock prevents that from Linux 6.12 on.",
    ...(portal?.supportsExposedPids === false
      ? ["The application does not see its processes."]
      : ["The application sees its processes, and can signal them."]),
  ];
}

/** Flatpak lets each instance own names below the application's, for its sandboxes to be found by. */
function withOwnNames(statement: Statement, { app, permissions, grants }: PortalGuaranteeFacts): Statement {
  const bus = grants.find(({ permission }) => permission === "portals")?.target ?? null;
  if (!permissions.portals || bus === null || app.appId === null) return statement;
  const own = (name: string, result: string): Observation => ({ probe: `own-name ${bus} ${name}`, result });
  return {
    ...statement,
    sentences: [
      ...statement.sentences,
      `It is connected through Flatpak's own D-Bus filter. It can own names that begin with ${app.appId}.Sandboxed, and not the application's.`,
    ],
    observations: [
      ...statement.observations,
      own(`${app.appId}.Sandboxed.Conformance`, "OK"),
      own(`${app.appId}.Conformance`, "org.freedesktop.DBus.Error.ServiceUnknown"),
    ],
  };
}

function privilegeSentences({ portal }: PortalGuaranteeFacts): string[] {
  if (portal?.supportsExposedPids === false) return [];
  return [
    "It shares the application's user namespace. Its bounding set of capabilities is not empty there, but nothing can give it one.",
  ];
}
