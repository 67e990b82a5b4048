import { SandboxPermissions } from "../../src/permissions/sandbox-permissions.js";
import { planOpenBubblewrap } from "../../src/plan/bubblewrap.js";
import { bubblewrapGuarantees } from "../../src/plan/bubblewrap-guarantees.js";
import { Backend } from "../../src/plan/choose-backend.js";
import { shortfalls } from "../../src/plan/shortfalls.js";
import { bubblewrapOptions } from "../../src/plan/bubblewrap-words.js";
import { filterVerdicts } from "../../src/plan/filter-verdicts.js";
import type { FilesystemView } from "../../src/plan/filesystem-view.js";
import { filesystemView, lookedUp } from "../../src/plan/filesystem-view.js";
import type { Aspect } from "../../src/plan/guarantees.js";
import { DEFAULT_REQUIRED, guaranteesOf } from "../../src/plan/guarantees.js";
import { emptyDesktop } from "../../src/plan/desktop-plan.js";
import type { HostFacts } from "../../src/plan/host-facts.js";
import type { PlacedMount } from "../../src/plan/host-path.js";
import type { BubblewrapPlan } from "../../src/plan/launch-plan.js";
import { SandboxReport } from "../../src/plan/sandbox-report.js";

/** A host that is the same on every machine. */
export const host: HostFacts = {
  uid: 1000,
  gid: 1000,
  architecture: "x86_64",
  systemDirectories: [
    { path: "/bin", linkTarget: "usr/bin" },
    { path: "/lib", linkTarget: null },
  ],
};

export function permissions(): SandboxPermissions {
  return new SandboxPermissions();
}

export function mountsOf(granted: SandboxPermissions): readonly PlacedMount[] {
  return granted.snapshot().filesystems.map(({ path, mode }, descriptor) => ({
    ...{ path, source: path, writable: mode === "rw", device: 1n, inode: 1n, descriptor },
  }));
}

export function planOf(granted: SandboxPermissions): BubblewrapPlan {
  const bubblewrap = { path: "/usr/bin/bwrap", version: [0, 8, 0], options: new Set<string>() };
  const sandbox = { host, bubblewrap, permissions: granted.snapshot(), mounts: mountsOf(granted) };
  const request = { ...sandbox, desktop: emptyDesktop, pid1: "init" } as const;
  return planOpenBubblewrap(request, 0);
}

export function viewOf(granted: SandboxPermissions): FilesystemView {
  return filesystemView(planOf(granted), mountsOf(granted), new Set());
}

/** The report for a sandbox on that host. */
export function bubblewrapReport(granted = permissions(), required: readonly Aspect[] = DEFAULT_REQUIRED): SandboxReport {
  const view = lookedUp(viewOf(granted), () => "directory");
  const statements = bubblewrapGuarantees({
    ...{ host, permissions: granted.snapshot(), mounts: mountsOf(granted), grants: [], filesystem: view },
    ...{ environment: ["PATH=/bin"], directory: "/", descriptors: [], timeout: null },
    limitFacts: { uid: host.uid, kernelRelease: "6.1.0", scope: null },
    options: bubblewrapOptions(planOf(granted)),
    filter: filterVerdicts(granted.snapshot().syscalls, host.architecture),
  });
  return new SandboxReport("bubblewrap", guaranteesOf(statements, shortfalls[Backend.BUBBLEWRAP], required), view);
}
