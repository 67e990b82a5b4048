/** From spawn to exit of /bin/true inside a Flatpak: as it is, and in the portal's sandbox through flatpak-spawn. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { argv, stdout } from "node:process";
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

const rounds = Number(argv[2] ?? 50);
const results = await measure(
  [
    command("child_process.spawn, no sandbox of its own", ["/bin/true"]),
    command(reference, ["flatpak-spawn", "--sandbox", "--no-network", "--directory=/", "/bin/true"]),
  ],
  rounds,
);
stdout.write(`spawn to exit of /bin/true inside a Flatpak, ${rounds} rounds in turns:\n\n${table(results, reference)}\n`);
