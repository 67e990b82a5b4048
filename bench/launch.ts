/** From spawn to exit of /bin/true: unsandboxed, through bwrap alone with the same mounts, and through our launcher. */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { realised } from "../src/node/bubblewrap-carrier.js";
import { usableBubblewrap } from "../src/node/bubblewrap.js";
import { DescriptorScope } from "../src/node/descriptor-scope.js";
import { openGrantedPaths } from "../src/node/granted-paths.js";
import { hostFacts } from "../src/node/host.js";
import { SandboxSubprocessLauncher } from "../src/node/index.js";
import { SandboxPermissions } from "../src/permissions/sandbox-permissions.js";
import { planBubblewrapProbe } from "../src/plan/bubblewrap.js";
import { command, ended } from "./command.js";
import type { Contender } from "./measure.js";
import { timed } from "./measure.js";

/** What results are called. */
export const PLAIN = "child_process.spawn, no sandbox";
export const RAW = "bwrap with the same mounts";
export const OPEN = "gio-sandbox, in an open sandbox";
export const PREWARMED = "gio-sandbox, prewarmed";
export const COLD = "gio-sandbox";

export interface LaunchContenders extends AsyncDisposable {
  readonly contenders: readonly Contender[];
}

export async function launchContenders(): Promise<LaunchContenders> {
  const launcher = new SandboxSubprocessLauncher();
  const sandbox = await launcher.openSandboxAsync();
  const prewarmed = new SandboxSubprocessLauncher();
  prewarmed.prewarm(2);
  return {
    contenders: [
      { name: OPEN, run: timed(() => launch(new SandboxSubprocessLauncher({ sandbox }))) },
      command(PLAIN, ["/bin/true"]),
      { name: PREWARMED, run: timed(() => launch(prewarmed)), pause: 40 },
      await rawBubblewrap(),
      { name: COLD, run: timed(() => launch(launcher)) },
    ],
    async [Symbol.asyncDispose]() {
      prewarmed.close();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

/** Starts /bin/true and waits until it has exited with status 0. */
export async function launch(launcher: SandboxSubprocessLauncher): Promise<void> {
  const child = await launcher.spawnvAsync(["/bin/true"]);
  await child.waitCheckAsync();
}

/** bwrap alone, with the arguments that our launcher gives it. */
export async function rawBubblewrap(permissions = new SandboxPermissions()): Promise<Contender> {
  const bubblewrap = await usableBubblewrap();
  const snapshot = permissions.snapshot();
  const run = async (): Promise<void> => {
    using scope = new DescriptorScope();
    const { mounts, descriptors } = openGrantedPaths(snapshot, scope);
    const plan = planBubblewrapProbe(hostFacts(), bubblewrap, snapshot, mounts);
    const [ours, theirs] = scope.socketPair();
    const all = realised(plan, { granted: descriptors, child: [], control: theirs, diagnostics: 2 }, scope);
    const child = spawn(plan.program, plan.argv, { stdio: all.map((descriptor) => descriptor ?? "ignore"), env: {}, cwd: "/" });
    closeSync(scope.release(ours));
    await ended(child);
  };
  return { name: RAW, run: timed(run) };
}
