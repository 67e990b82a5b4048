/** From spawn to exit of /bin/true inside a Flatpak: as it is, and in the portal's sandbox, through flatpak-spawn and ours. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { argv, stdout } from "node:process";
import { SandboxSubprocessLauncher } from "../src/node/index.js";
import type { Contender } from "./measure.js";
import { measure, table } from "./measure.js";

const reference = "flatpak-spawn --sandbox --no-network";

function command(name: string, [program = "", ...args]: readonly string[]): Contender {
  return {
    name,
    run: async () => {
      const [code] = (await once(spawn(program, args, { stdio: "ignore" }), "exit")) as [number | null];
      if (code !== 0) throw new Error(`${name} ended with ${code ?? "a signal"}`);
    },
  };
}

function launch(name: string, launcher: SandboxSubprocessLauncher): Contender {
  return {
    name,
    run: async () => {
      const child = await launcher.spawnvAsync(["/bin/true"]);
      await child.waitCheckAsync();
    },
  };
}

const launcher = new SandboxSubprocessLauncher();
await using sandbox = await launcher.openSandboxAsync();

const rounds = Number(argv[2] ?? 50);
const results = await measure(
  [
    command("child_process.spawn, no sandbox of its own", ["/bin/true"]),
    command(reference, ["flatpak-spawn", "--sandbox", "--no-network", "--directory=/", "/bin/true"]),
    launch("SandboxSubprocessLauncher", launcher),
    launch("SandboxSubprocessLauncher, open sandbox", new SandboxSubprocessLauncher({ sandbox })),
  ],
  rounds,
);
stdout.write(`spawn to exit of /bin/true inside a Flatpak, ${rounds} rounds in turns:\n\n${table(results, reference)}\n`);
