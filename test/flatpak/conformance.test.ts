/** What reports of the portal's sandboxes promise, and what a program in such a sandbox sees, inside a real Flatpak. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";
import dbus from "dbus-next";
import { connectMessageBus } from "../../src/node/bus/message-bus.js";
import { SandboxPermissions, SandboxSubprocessLauncher, SubprocessFlags } from "../../src/node/index.js";
import { seenInside } from "../conformance/compare.js";
import { listening, startXServer } from "../conformance/desktop.js";
import { guaranteesTable, isOfThisMachine } from "../conformance/guarantees-table.js";
import { startHost } from "../conformance/host.js";
import type { AspectResult } from "../conformance/results.js";
import { readResults, resultsOf } from "../conformance/results.js";
import { fixturePermissions } from "../node/gsubprocess/children.js";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";
import { appId } from "./test-app.js";

const fixture = "test/flatpak/fixtures/conformance.ts";

describe("reports of the portal's sandboxes, inside a real Flatpak,", function () {
  // the first time, the runtime is built
  this.timeout(180_000);

  let app: FlatpakApp;
  const undo: (() => unknown)[] = [];
  before(requireFlatpak);
  before(async () => {
    const DISPLAY = await startXServer(undo);
    app = await FlatpakApp.start({ DISPLAY, WAYLAND_DISPLAY: "wayland-0" });
    undo.push(() => app[Symbol.asyncDispose]());
    await startDesktop(app, undo);
  });
  after(async () => {
    for (const step of undo.reverse()) await step();
  });

  async function check(permissions: readonly string[], env: Readonly<Record<string, string>>, atLeast: number): Promise<void> {
    const { passed, pending, failed } = await app.runMocha([fixture], { permissions, env, timeout: 120_000 });
    assert.deepEqual(failed, []);
    assert.deepEqual(pending, []);
    assert.ok(passed.length >= atLeast, `only ${passed.length} tests ran`);
  }

  it("are what children see of an application that holds nothing", async () => {
    await check([], { RESULTS: "results.json" }, 18);
  });

  it("are what children see of an application that holds all that can be granted", async () => {
    const shared = join(app.directory, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o777);
    const held = ["--share=network", "--share=ipc", "--socket=x11", "--socket=wayland", "--socket=pulseaudio", "--device=dri"];
    await check([...held, `--filesystem=${shared}`], { SHARED_DIRECTORY: shared }, 24);
  });

  it("are what children see of an application that holds the Wayland display", async () => {
    await check(["--socket=wayland"], {}, 19);
  });

  it("stand beside bubblewrap's in docs/guarantees.md, as they were seen", async () => {
    const results = new Map([
      ["bubblewrap", await bubblewrapResults()],
      ["Flatpak's portal", readResults(join(app.directory, "home/.var/app", appId, "cache/results.json"))],
    ]);
    const made = guaranteesTable(results);
    const page = readFileSync(guaranteesPage, "utf8");
    const [begin, end] = [page.indexOf("-->\n", page.indexOf("<!-- made by")) + 4, page.indexOf("<!-- end of what was made")];
    assert.ok(begin > 4 && end > begin);
    if (env["UPDATE_DOCS"] === "1") writeFileSync(guaranteesPage, `${page.slice(0, begin)}\n${made}\n\n${page.slice(end)}`);
    else assert.deepEqual(machineless(page.slice(begin, end).trim()), machineless(made), "UPDATE_DOCS=1 writes the tables anew");
  });
});

const guaranteesPage = fileURLToPath(new URL("../../docs/guarantees.md", import.meta.url));

function machineless(tables: string): string[] {
  return tables.split("\n").filter((line) => !isOfThisMachine(line));
}

/** What a child of bubblewrap's sees here that was granted nothing but the program. */
async function bubblewrapResults(): Promise<readonly AspectResult[]> {
  await using host = await startHost();
  const granted = fixturePermissions().snapshot().filesystems.map(({ path }) => path);
  const permissions = new SandboxPermissions();
  for (const path of granted) permissions.addFilesystem(`${path}:ro`);
  const launcher = new SandboxSubprocessLauncher({ flags: SubprocessFlags.STDOUT_PIPE, permissions });
  const report = launcher.explain();
  const results = resultsOf(report, await seenInside(launcher, host));
  // the program alone is what there is of the host's files
  return results.map((result) => (result.aspect === "filesystem" ? { ...result, access: "denied" } : result));
}

/** What of a desktop there is in the user's session besides its X server: sockets to connect to, and buses. */
async function startDesktop(app: FlatpakApp, undo: (() => unknown)[]): Promise<void> {
  const runtime = join(app.directory, "run");
  mkdirSync(join(runtime, "pulse"));
  chmodSync(join(runtime, "pulse"), 0o755);
  for (const name of ["wayland-0", "pulse/native"]) {
    const server = await listening(join(runtime, name));
    // whoever the application runs as
    chmodSync(join(runtime, name), 0o666);
    undo.push(() => server.close());
  }
  const services = await connectMessageBus(app.busAddress);
  undo.push(() => services.disconnect());
  services.export("/org/a11y/bus", new AccessibilityBus("org.a11y.Bus", app.busAddress));
  for (const name of ["org.a11y.Bus", "org.freedesktop.systemd1", "org.freedesktop.portal.Desktop"]) {
    await services.requestName(name, 0);
  }
}

/** Says that the session bus is the accessibility bus: whichever it is, a filter stands before it. */
class AccessibilityBus extends dbus.interface.Interface {
  readonly #address: string;

  constructor(name: string, address: string) {
    super(name);
    this.#address = address;
  }

  GetAddress(): string {
    return this.#address;
  }
}
AccessibilityBus.configureMembers({ methods: { GetAddress: { inSignature: "", outSignature: "s" } } });
