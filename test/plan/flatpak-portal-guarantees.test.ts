import assert from "node:assert/strict";
import { parseFlatpakInfo } from "../../src/confinement/flatpak-info.js";
import type { PortalFacts } from "../../src/confinement/portal-facts.js";
import type { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { desktopEnvironment } from "../../src/plan/desktop-plan.js";
import { filterVerdicts } from "../../src/plan/filter-verdicts.js";
import type { ApplicationVariables } from "../../src/plan/flatpak-portal-desktop.js";
import { portalDesktop } from "../../src/plan/flatpak-portal-desktop.js";
import { flatpakDirectories } from "../../src/plan/flatpak-directories.js";
import { portalFilesystem } from "../../src/plan/flatpak-portal-filesystem.js";
import { portalGuarantees } from "../../src/plan/flatpak-portal-guarantees.js";
import { Backend } from "../../src/plan/choose-backend.js";
import { shortfalls } from "../../src/plan/shortfalls.js";
import { DEFAULT_REQUIRED, guaranteesOf } from "../../src/plan/guarantees.js";
import { SandboxReport } from "../../src/plan/sandbox-report.js";
import { bubblewrapReport, host, mountsOf, permissions } from "./reports.js";

const directories = flatpakDirectories(host.uid, "/home/me");
const { runtime } = directories;

/** What Flatpak 1.14 sets for an application that has everything. */
const everything: ApplicationVariables = {
  DISPLAY: ":99.0",
  XAUTHORITY: "/run/flatpak/Xauthority",
  WAYLAND_DISPLAY: "wayland-0",
  PULSE_SERVER: "unix:/run/flatpak/pulse/native",
  PULSE_CLIENTCONFIG: "/run/flatpak/pulse/config",
  DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/flatpak/bus",
  AT_SPI_BUS_ADDRESS: "unix:path=/run/flatpak/at-spi-bus",
  SECRET: "secret",
};

const links = new Map([
  [`${runtime}/bus`, "../../flatpak/bus"],
  [`${runtime}/pulse`, "../../flatpak/pulse"],
  [`${runtime}/wayland-0`, "../../flatpak/wayland-0"],
  [`${runtime}/doc`, "../../flatpak/doc"],
]);

interface Circumstances {
  readonly portal?: PortalFacts | null;
  readonly kernelRelease?: string;
  readonly application?: ApplicationVariables;
}

function infoOf(context: string): NonNullable<ReturnType<typeof parseFlatpakInfo>> {
  const info = parseFlatpakInfo(`[Application]\nname=org.example.App\n[Instance]\ninstance-id=1\n[Context]\n${context}\n`);
  assert.ok(info !== null);
  return info;
}

const allHeld = "shared=network;ipc;\nsockets=x11;wayland;pulseaudio;\ndevices=dri;";

function report(granted: SandboxPermissions = permissions(), circumstances: Circumstances = {}): SandboxReport {
  const { portal = { version: 6, supportsExposedPids: true }, kernelRelease = "6.12.1", application = everything } = circumstances;
  const app = infoOf(allHeld);
  const set = granted.snapshot();
  const desktop = portalDesktop(set, app.context, application, runtime);
  const mounts = mountsOf(granted);
  const filesystem = portalFilesystem({ host, permissions: set, directories, mounts, desktop, links, devices: [{ name: "dri", kind: "directory" }] });
  const statements = portalGuarantees({
    ...{ host, permissions: set, mounts, grants: desktop.grants, filesystem, app, portal, runtime },
    ...{ environment: desktopEnvironment(["PATH=/bin"], desktop), directory: "/", descriptors: [], timeout: null },
    limitFacts: { uid: host.uid, kernelRelease, scope: null },
    filter: filterVerdicts(set.syscalls, host.architecture),
  });
  return new SandboxReport("flatpak-portal", guaranteesOf(statements, shortfalls[Backend.FLATPAK_PORTAL], DEFAULT_REQUIRED), filesystem);
}

function observed(of: SandboxReport): ReadonlyMap<string, string> {
  return new Map(of.guarantees.flatMap(({ observations }) => observations.map(({ probe, result }) => [probe, result])));
}

describe("a report of a sandbox of the portal's", () => {
  it("promises each thing once, and says of each aspect how it is held", () => {
    const all = permissions().share("network").share("ipc").addSocket("x11").addSocket("wayland").addSocket("pulseaudio");
    for (const each of [report(), report(all.addDevice("dri").allowPortals().allowA11y().addFilesystem("/data:ro"))]) {
      const probes = each.guarantees.flatMap(({ observations }) => observations.map(({ probe }) => probe));
      assert.deepEqual(probes.filter((probe, index) => probes.indexOf(probe) !== index), []);
      for (const { sentences, observations } of each.guarantees) assert.ok(sentences.length > 0 && observations.length > 0);
    }
  });

  it("differs from bubblewrap's where the sandboxes differ", () => {
    const [portal, bubblewrap] = [observed(report()), observed(bubblewrapReport())];
    for (const [probe, result] of [
      ["parent", "2"],
      ["foreign-processes", "1"],
      ["signal 2", "EPERM"],
      ["namespace cgroup", "the host's"],
      ["host-name", "as outside"],
    ] as const) {
      assert.equal(portal.get(probe), result);
      assert.notEqual(bubblewrap.get(probe), result);
    }
    for (const probe of ["connect-host-inet", "capabilities", "call mount", "devices", "read /root"]) {
      assert.equal(portal.get(probe), bubblewrap.get(probe), probe);
    }
  });

  it("says that the child can stop its init where Landlock does not prevent that", () => {
    const old = report(permissions(), { kernelRelease: "6.11.9" });
    assert.equal(observed(old).get("signal 2"), "OK");
    assert.match(String(old), /can stop or kill init/);
    assert.ok(!old.get("process-ids").mechanisms.includes("Landlock"));
    assert.ok(report().get("process-ids").mechanisms.includes("Landlock"));
  });

  it("leaves out what depends on a portal that has not been asked", () => {
    const seen = (portal: PortalFacts | null): (string | undefined)[] => {
      const promised = observed(report(permissions(), { portal }));
      return [promised.get("namespace user"), promised.get("process capability-bounds")];
    };
    assert.deepEqual(seen(null), [undefined, undefined]);
    assert.deepEqual(seen({ version: 6, supportsExposedPids: true }), ["the host's", "some"]);
    assert.deepEqual(seen({ version: 6, supportsExposedPids: false }), ["own", "none"]);
  });

  it("does not promise of a call that our filter lets through what Flatpak's own may refuse", () => {
    const [portal, bubblewrap] = [observed(report()), observed(bubblewrapReport())];
    assert.equal(bubblewrap.get("clone-network-namespace"), "EPERM");
    assert.equal(portal.get("clone-network-namespace"), "as outside");
    assert.equal(portal.get("i386-ptrace"), "as outside");
  });

  it("says of the portals that there is a bus, what is on it, and what can be owned", () => {
    const { access, sentences, observations, mechanisms } = report(permissions().allowPortals()).get("buses");
    assert.equal(access, "partly");
    assert.ok(mechanisms.includes("D-Bus filter"));
    assert.match(sentences.join(" "), /the portals.*org\.example\.App\.Sandboxed/);
    const results = new Map(observations.map(({ probe, result }) => [probe, result]));
    assert.equal(results.get("variable DBUS_SESSION_BUS_ADDRESS"), "unix:path=/run/flatpak/bus");
    assert.equal(results.get("bus /run/flatpak/bus"), "OK");
    assert.equal(results.get("see-name /run/flatpak/bus org.freedesktop.systemd1"), "hidden");
    assert.equal(report().get("buses").access, "denied");
  });

  it("shows sockets where they are, and the links to them", () => {
    const granted = permissions().addSocket("wayland").addSocket("pulseaudio").allowPortals();
    const lines = (report(granted).filesystem ?? []).flatMap(({ path, kind, source }) =>
      kind === "socket" || (kind === "link" && path.startsWith("/run/")) ? [`${path} ${source ?? ""}`.trim()] : [],
    );
    assert.deepEqual(lines, [
      ...["/run/flatpak/bus", "/run/flatpak/pulse/native", "/run/flatpak/wayland-0"],
      ...["bus", "pulse", "wayland-0"].map((name) => `${runtime}/${name} ../../flatpak/${name}`),
    ]);
  });
});

describe("what of the desktop a sandbox of the portal's has", () => {
  const variablesOf = (granted: SandboxPermissions, application = everything, context = allHeld): Record<string, string> => {
    const { variables } = portalDesktop(granted.snapshot(), infoOf(context).context, application, runtime);
    return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  };

  it("is found by the application's own variables, and only those of what was granted are there", () => {
    assert.deepEqual(variablesOf(permissions()), {});
    assert.deepEqual(variablesOf(permissions().addSocket("x11")), { DISPLAY: ":99.0", XAUTHORITY: "/run/flatpak/Xauthority" });
    assert.deepEqual(variablesOf(permissions().allowA11y()), { AT_SPI_BUS_ADDRESS: "unix:path=/run/flatpak/at-spi-bus" });
  });

  it("is not what the application has not", () => {
    assert.deepEqual(variablesOf(permissions().addSocket("wayland").allowPortals(), {}), {});
    assert.deepEqual(variablesOf(permissions().addSocket("x11-try"), everything, ""), {});
    const remote = { ...everything, DISPLAY: "elsewhere:0", PULSE_SERVER: "tcp:elsewhere", WAYLAND_DISPLAY: "" };
    assert.deepEqual(variablesOf(permissions().addSocket("x11").addSocket("pulseaudio").addSocket("wayland"), remote), {});
  });
});
