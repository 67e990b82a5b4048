/** From spawn to exit of /bin/true inside a Flatpak: as it is, and in the portal's sandbox, through flatpak-spawn and ours. */
import { argv, stdout } from "node:process";
import { SandboxSubprocessLauncher } from "../src/node/index.js";
import { command } from "./command.js";
import { launch } from "./launch.js";
import { measure, table, timed } from "./measure.js";

const reference = "flatpak-spawn --sandbox --no-network";

const launcher = new SandboxSubprocessLauncher();
await using sandbox = await launcher.openSandboxAsync();
const inSandbox = new SandboxSubprocessLauncher({ sandbox });

const rounds = Number(argv[2] ?? 50);
const measurement = await measure(
  [
    command("child_process.spawn, no sandbox of its own", ["/bin/true"]),
    command(reference, ["flatpak-spawn", "--sandbox", "--no-network", "--directory=/", "/bin/true"]),
    { name: "SandboxSubprocessLauncher", run: timed(() => launch(launcher)) },
    { name: "SandboxSubprocessLauncher, open sandbox", run: timed(() => launch(inSandbox)) },
  ],
  rounds,
);
stdout.write(`spawn to exit of /bin/true inside a Flatpak, ${rounds} rounds in turns:\n\n${table(measurement, reference)}\n`);
