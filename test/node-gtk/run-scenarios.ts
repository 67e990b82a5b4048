/** Runs all scenarios, with GLib's and Node's loops inside each other as the argument says, and prints what came of each. */
import { childProcesses, until } from "../node/gsubprocess/children.js";
import { loadNodeGtk } from "./node-gtk.js";
import { loopScenarios, scenarios } from "./scenarios.js";

const GLib = loadNodeGtk().require("GLib", "2.0");

/** The way to a loop. */
const ways: Readonly<Record<string, () => void>> = {
  node: () => void runAll(scenarios),
  module: runInLoop,
  "node-callback": () => void setTimeout(runInLoop, 1),
  "glib-callback": () => {
    const outer = GLib.MainLoop.new(null, false);
    GLib.idleAdd(200, () => {
      runInLoop();
      outer.quit();
      return false;
    });
    outer.run();
  },
};

/** Starts everything, then runs a loop until it is done. */
function runInLoop(): void {
  const loop = GLib.MainLoop.new(null, false);
  void runAll({ ...scenarios, ...loopScenarios }).then(() => loop.quit());
  loop.run();
}

async function runAll(all: Readonly<Record<string, () => unknown>>): Promise<void> {
  const results: Record<string, unknown> = {};
  for (const [name, run] of Object.entries(all)) {
    try {
      results[name] = await run();
    } catch (error) {
      results[name] = error instanceof Error ? error.stack : error;
    }
  }
  // what is left of a sandbox whose child has ended goes in its own time
  await until(() => childProcesses().length === 0);
  console.log(JSON.stringify(results));
}

ways[process.argv[2] ?? ""]?.();
