/** How the cost of a launch grows with what it has to carry. */
import { mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "../src/node/index.js";
import { SandboxPermissions, SandboxSubprocessLauncher } from "../src/node/index.js";
import { launch, rawBubblewrap } from "./launch.js";
import type { Contender, Spread } from "./measure.js";
import { measure, timed } from "./measure.js";

/** One line of a chart. */
export interface Curve {
  readonly name: string;
  readonly points: readonly { readonly amount: number; readonly time: Spread }[];
}

/** Launch times against one kind of work. */
export interface CostCurves {
  readonly title: string;
  /** What the amounts count. */
  readonly unit: string;
  readonly curves: readonly Curve[];
}

const OWN = "a sandbox of its own";
const OPEN = "in an open sandbox";
const BARE = "bwrap alone";

export async function costCurves(rounds: number): Promise<CostCurves[]> {
  await using sandbox = await new SandboxSubprocessLauncher().openSandboxAsync();
  return [await mounts(rounds), await descriptors(rounds, sandbox), await environment(rounds, sandbox)];
}

async function mounts(rounds: number): Promise<CostCurves> {
  const directory = mkdtempSync(join(tmpdir(), "gio-sandbox-bench-"));
  try {
    const curves = await curvesOf([1, 10, 100, 1000], rounds, async (amount) => {
      const permissions = new SandboxPermissions();
      for (let number = 0; number < amount; number++) {
        const path = join(directory, String(number));
        mkdirSync(path, { recursive: true });
        permissions.addFilesystem(`${path}:ro`);
      }
      const launcher = new SandboxSubprocessLauncher({ permissions });
      return [
        { name: OWN, run: timed(() => launch(launcher)) },
        { ...(await rawBubblewrap(permissions)), name: BARE },
      ];
    });
    return { title: "granted paths", unit: "mounts", curves };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function descriptors(rounds: number, sandbox: Sandbox): Promise<CostCurves> {
  using stack = new Launchers();
  const curves = await curvesOf([0, 10, 100], rounds, (amount) =>
    Promise.resolve(
      ([[OWN, null], [OPEN, sandbox]] as const).map(([name, place]) => {
        const launcher = stack.add(new SandboxSubprocessLauncher({ sandbox: place }));
        for (let number = 0; number < amount; number++) launcher.takeFd(openSync("/dev/null", "r"), 3 + number);
        return { name, run: timed(() => launch(launcher)) };
      }),
    ),
  );
  return { title: "passed descriptors", unit: "descriptors", curves };
}

async function environment(rounds: number, sandbox: Sandbox): Promise<CostCurves> {
  const curves = await curvesOf([1, 10, 100, 1000], rounds, (amount) =>
    Promise.resolve(
      ([[OWN, null], [OPEN, sandbox]] as const).map(([name, place]) => {
        const launcher = new SandboxSubprocessLauncher({ sandbox: place });
        const kilobyte = Array.from({ length: amount }, (_, index) => `V${String(index).padStart(4, "0")}=${"x".repeat(KILOBYTE - 7)}`);
        launcher.setEnviron(kilobyte);
        return { name, run: timed(() => launch(launcher)) };
      }),
    ),
  );
  return { title: "environment", unit: "KB", curves };
}

/** Bytes, the NUL at the end of each variable included. */
const KILOBYTE = 1000;

/** Measures the contenders of all amounts in turns, and gives a curve for each name. */
async function curvesOf(
  amounts: readonly number[],
  rounds: number,
  contendersFor: (amount: number) => Promise<readonly Contender[]>,
): Promise<Curve[]> {
  const all: { amount: number; name: string; label: string; contender: Contender }[] = [];
  for (const amount of amounts) {
    for (const contender of await contendersFor(amount)) {
      const label = `${contender.name}, ${amount}`;
      all.push({ amount, name: contender.name, label, contender: { ...contender, name: label } });
    }
  }
  const measurement = await measure(all.map(({ contender }) => contender), rounds);
  return [...new Set(all.map(({ name }) => name))].map((name) => ({
    name,
    points: all.filter((one) => one.name === name).map(({ amount, label }) => ({ amount, time: measurement.time(label) })),
  }));
}

/** Launchers that own descriptors. */
class Launchers {
  readonly #launchers: SandboxSubprocessLauncher[] = [];

  add(launcher: SandboxSubprocessLauncher): SandboxSubprocessLauncher {
    this.#launchers.push(launcher);
    return launcher;
  }

  [Symbol.dispose](): void {
    for (const launcher of this.#launchers) launcher.close();
  }
}
