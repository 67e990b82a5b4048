/*
 * Runs scenarios with one implementation of the two classes:
 *
 *   gjs -m run-scenarios.js gio|MODULE blocking|promise|callback plain|promisified NAME...
 *
 * The second argument says how a launcher launches: GIO's only blocks. The third, whether `Gio._promisify()` has been at
 * work; GIO has promises only then. One line of JSON says which scenario begins, another what came of it.
 *
 *   gjs -m run-scenarios.js --list
 *
 * prints the names of all, `--glib` the version of GLib.
 */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import System from "system";
import { scenarios } from "./scenarios.js";
import { callback, sleep, Trial } from "./scenarios/trial.js";

const TIME_LIMIT = 30_000;

const launchForms = {
  blocking: (launcher, argv) => launcher.spawnv(argv),
  promise: (launcher, argv) => launcher.spawnv_async(argv, null),
  callback: (launcher, argv) => callback(launcher, "spawnv", argv, null),
};

const gio = { Launcher: Gio.SubprocessLauncher, Subprocess: Gio.Subprocess, allow: () => undefined, module: null };

async function sandboxed(path) {
  const module = await import(Gio.File.new_for_commandline_arg(path).get_uri());
  return {
    Launcher: module.SandboxSubprocessLauncher,
    Subprocess: module.SandboxSubprocess,
    allow: (launcher, directory) => (launcher.permissions = launcher.permissions.copy().add_filesystem(`${directory}:ro`)),
    module,
  };
}

function promisify({ Subprocess, Launcher }) {
  for (const name of ["wait", "wait_check", "communicate", "communicate_utf8"]) {
    Gio._promisify(Subprocess.prototype, `${name}_async`);
  }
  for (const name of ["spawnv", "open_sandbox"]) {
    if (`${name}_async` in Launcher.prototype) Gio._promisify(Launcher.prototype, `${name}_async`, `${name}_finish`);
  }
}

async function run(implementation, scenario) {
  const trial = new Trial(implementation);
  try {
    const tooLong = sleep(TIME_LIMIT).then(() => ({ tooLong: true }));
    return await Promise.race([scenario(trial), tooLong]);
  } catch (error) {
    return { thrown: `${error}\n${error.stack}` };
  } finally {
    await trial.end();
  }
}

/** One line of JSON, in ASCII: print() writes in the locale's encoding. */
function report(value) {
  print(JSON.stringify(value).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

const [which, launchForm, promises, ...names] = ARGV;
if (which === "--list") {
  for (const name of scenarios.keys()) print(name);
  System.exit(0);
}
if (which === "--glib") {
  print(`${GLib.MAJOR_VERSION}.${GLib.MINOR_VERSION}`);
  System.exit(0);
}
const implementation = { ...(which === "gio" ? gio : await sandboxed(which)), launch: launchForms[launchForm] };
if (promises === "promisified") promisify(implementation);
for (const name of names) {
  report({ begins: name });
  const result = await run(implementation, scenarios.get(name));
  report({ name, result });
}
