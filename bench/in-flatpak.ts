/** From spawn to exit of /bin/true inside a Flatpak: as it is, and in the portal's sandbox, through flatpak-spawn and ours. */
import { closeSync, openSync } from "node:fs";
import { argv, stdout } from "node:process";
import { SandboxSubprocessLauncher } from "../src/node/index.js";
import type { Portal } from "../src/node/portal.js";
import { sharedPortal } from "../src/node/portal-backend.js";
import { SpawnFlag } from "../src/plan/flatpak-portal.js";
import { command } from "./command.js";
import { launch } from "./launch.js";
import { measure, table, timed } from "./measure.js";

const OPEN = "SandboxSubprocessLauncher, open sandbox";
const reference = "a call of Spawn, to SpawnExited";

/** The least that the portal takes for a process in a sandbox: its method, called by a program that is connected already. */
async function spawnThroughPortal(portal: Portal, nothing: number): Promise<void> {
  let end: (error: Error | null) => void = () => undefined;
  const ended = new Promise<Error | null>((resolve) => (end = resolve));
  const lost = (): void => end(new Error("The portal has gone"));
  const message = {
    ...{ directory: "/", argv: ["/bin/true"], environment: new Map<string, string>(), flags: SpawnFlag.SANDBOX | SpawnFlag.NO_NETWORK, sandboxFlags: 0 },
    ...{ descriptors: new Map([0, 1, 2].map((number) => [number, nothing])), exposed: [], exposedReadOnly: [] },
  };
  const listener = { onSpawnStarted: () => undefined, onSpawnExited: () => end(null), onPortalVanished: lost, onDisconnected: lost };
  portal.keep(listener);
  const handle = await portal.spawn(message, PATIENCE, listener);
  const error = await ended;
  portal.forget(handle);
  portal.let(listener);
  if (error !== null) throw error;
}

/** Milliseconds. */
const PATIENCE = 10_000;

const nothing = openSync("/dev/null", "r+");
const portal = await sharedPortal();

const launcher = new SandboxSubprocessLauncher();
await using sandbox = await launcher.openSandboxAsync();
const inSandbox = new SandboxSubprocessLauncher({ sandbox });

const rounds = Number(argv[2] ?? 50);
const measurement = await measure(
  [
    command("child_process.spawn, no sandbox of its own", ["/bin/true"]),
    { name: reference, run: timed(() => spawnThroughPortal(portal, nothing)) },
    command("flatpak-spawn --sandbox --no-network", ["flatpak-spawn", "--sandbox", "--no-network", "--directory=/", "/bin/true"]),
    { name: "SandboxSubprocessLauncher", run: timed(() => launch(launcher)) },
    { name: OPEN, run: timed(() => launch(inSandbox)) },
  ],
  rounds,
);
const times = measurement.ratio(reference, OPEN).median;
stdout.write(`spawn to exit of /bin/true inside a Flatpak, ${rounds} rounds in turns:

${table(measurement, reference)}

target: an open sandbox, beside a call of Spawn: at least 20 × as fast, measured ${times.toFixed(2)} ×
`);
const results = measurement.names.map((name) => ({ name, milliseconds: measurement.time(name), ratio: measurement.ratio(name, reference) }));
// the last line is for bench/flatpak.ts
stdout.write(`${JSON.stringify({ rounds, reference, results, timesAsFast: times })}\n`);
closeSync(nothing);
