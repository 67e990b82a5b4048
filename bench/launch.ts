/** From spawn to exit of /bin/true: unsandboxed, through bwrap alone with the same mounts, and through our launcher. */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { SpawnOptions } from "node:child_process";
import { SandboxPermissions } from "../src/permissions/sandbox-permissions.js";
import { usableBubblewrap } from "../src/node/bubblewrap.js";
import { SandboxSubprocessLauncher } from "../src/node/index.js";
import { hostFacts } from "../src/node/host.js";
import { DescriptorScope } from "../src/node/descriptor-scope.js";
import { startHelper } from "../src/node/bubblewrap-carrier.js";
import { planBubblewrapProbe } from "../src/plan/bubblewrap.js";
import type { Contender } from "./measure.js";

const quiet: SpawnOptions = { stdio: "ignore" };

export async function launchContenders(): Promise<Contender[]> {
  const launcher = new SandboxSubprocessLauncher();
  const inSandbox = new SandboxSubprocessLauncher({ sandbox: await launcher.openSandboxAsync() });
  const prewarmed = new SandboxSubprocessLauncher();
  prewarmed.prewarm(2);
  return [
    { name: "child_process.spawn, no sandbox", run: () => ended(spawn("/bin/true", quiet)) },
    await rawBubblewrap(),
    {
      name: "gio-sandbox, in an open sandbox",
      run: async () => {
        const child = await inSandbox.spawnvAsync(["/bin/true"]);
        await child.waitCheckAsync();
      },
    },
    {
      name: "gio-sandbox, prewarmed",
      run: async () => {
        const child = await prewarmed.spawnvAsync(["/bin/true"]);
        await child.waitCheckAsync();
      },
      pause: 40,
    },
    {
      name: "gio-sandbox",
      run: async () => {
        const child = await launcher.spawnvAsync(["/bin/true"]);
        await child.waitCheckAsync();
      },
    },
  ];
}

/** bwrap alone, with the arguments that our launcher gives it. */
export async function rawBubblewrap(): Promise<Contender> {
  const plan = planBubblewrapProbe(hostFacts(), await usableBubblewrap(), new SandboxPermissions().snapshot());
  return {
    name: "child_process.spawn of bwrap, same mounts",
    run: async () => {
      const scope = new DescriptorScope();
      const [ours, theirs] = scope.socketPair();
      const child = startHelper(plan, { granted: [], child: [], control: theirs, diagnostics: 2 }, scope);
      closeSync(scope.release(ours));
      scope[Symbol.dispose]();
      await ended(child);
    },
  };
}

function ended(child: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${child.spawnfile} exited with ${code ?? "a signal"}`));
    });
  });
}
