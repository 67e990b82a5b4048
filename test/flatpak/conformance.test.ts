/** What reports of the portal's sandboxes promise, and what a program in such a sandbox sees, inside a real Flatpak. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import dbus from "dbus-next";
import { connectMessageBus } from "../../src/node/bus/message-bus.js";
import { listening, startXServer } from "../conformance/desktop.js";
import { FlatpakApp } from "./flatpak-app.js";
import { requireFlatpak } from "./missing.js";

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
});

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
