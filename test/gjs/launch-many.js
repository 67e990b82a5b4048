/*
 * Launches many children one after another, and prints the kibibytes that this process has in memory after the first of
 * them and at the end, its descriptors and its children then: `gjs -m launch-many.js MODULE NUMBER blocking|promise`
 */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import System from "system";

const [path, number, form] = ARGV;
const { SandboxSubprocessLauncher } = await import(Gio.File.new_for_commandline_arg(path).get_uri());
const { STDIN_PIPE, STDOUT_PIPE } = Gio.SubprocessFlags;

async function launch() {
  const launcher = new SandboxSubprocessLauncher({ flags: STDIN_PIPE | STDOUT_PIPE });
  if (form === "blocking") {
    const [, output] = launcher.spawnv(["cat"]).communicate_utf8("x", null);
    return output;
  }
  const child = await launcher.spawnv_async(["cat"], null);
  const [output] = await child.communicate_utf8_async("x", null);
  return output;
}

function contents(file) {
  return new TextDecoder().decode(GLib.file_get_contents(file)[1]);
}

function names(directory) {
  const all = Gio.File.new_for_path(directory).enumerate_children("standard::name", Gio.FileQueryInfoFlags.NONE, null);
  const found = [];
  for (let info = all.next_file(null); info !== null; info = all.next_file(null)) found.push(info.get_name());
  all.close(null);
  return found;
}

async function measure() {
  // what closes by itself gets the time for it, and then what gives memory back besides
  await new Promise((resolve) => setTimeout(resolve, 500));
  System.gc();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [, resident] = /^VmRSS:\s*([0-9]+) kB$/m.exec(contents("/proc/self/status"));
  const children = names("/proc/self/task").flatMap((task) => contents(`/proc/self/task/${task}/children`).trim().split(" "));
  return {
    kibibytes: Number(resident),
    descriptors: names("/proc/self/fd").length,
    children: children.filter((pid) => pid !== "").length,
  };
}

await launch();
const start = await measure();
for (let count = 1; count < Number(number); count++) {
  const output = await launch();
  if (output !== "x") throw new Error(`Expected x, but got ${output}.`);
}
print(JSON.stringify({ start, end: await measure() }));
