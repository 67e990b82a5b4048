/*
 * Where operations end: gjs -m contexts.js MODULE COPY, two copies of the module. Prints a line of JSON for each question.
 */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import GObject from "gi://GObject?version=2.0";
import System, { programArgs } from "system";

const [one, other] = await Promise.all(programArgs.map((path) => import(Gio.File.new_for_commandline_arg(path).get_uri())));
const { SandboxSubprocess, SandboxSubprocessLauncher } = one;
const launcher = SandboxSubprocessLauncher.new(Gio.SubprocessFlags.STDOUT_PIPE);

function answer(question, value) {
  print(JSON.stringify([question, value]));
}

/** Runs a function with a context of its own as the thread's default. */
function within(context, run) {
  context.push_thread_default();
  try {
    return run();
  } finally {
    context.pop_thread_default();
  }
}

function iterateUntil(context, isDone) {
  const end = GLib.get_monotonic_time() + 10_000_000;
  while (!isDone() && GLib.get_monotonic_time() < end) {
    if (!context.iteration(false)) GLib.usleep(1000);
  }
}

answer("the classes of two copies are the same", [
  other.SandboxSubprocessLauncher === SandboxSubprocessLauncher,
  other.SandboxSubprocess === SandboxSubprocess,
  new other.SandboxPermissions() instanceof one.SandboxPermissions,
  other.load_profile("strict").equals(new one.SandboxPermissions()),
]);

await null;
answer("after an await, a blocking call", launcher.spawnv(["echo", "hello"]).communicate_utf8(null, null));

let ticks = 0;
const ticking = GLib.timeout_add(GLib.PRIORITY_HIGH, 1, () => {
  ticks++;
  return GLib.SOURCE_CONTINUE;
});
launcher.spawnv(["sleep", "0.1"]).wait(null);
answer("what the application was told while a call blocked", ticks);
GLib.source_remove(ticking);

const context = new GLib.MainContext();
const ends = [];
const child = await launcher.spawnv_async(["sh", "-c", "echo out; sleep 0.1"], null);
within(context, () => {
  child.wait_async(null, (source, result) => ends.push(["wait", source.wait_finish(result)]));
  child.communicate_utf8_async(null, null, (source, result) => ends.push(source.communicate_utf8_finish(result)));
});
await new Promise((resolve) => setTimeout(resolve, 400));
answer("in the default context, what was asked for in another", ends);
iterateUntil(context, () => ends.length === 2);
answer("in that other one", ends.map(([first]) => first));

const started = [];
within(context, () => {
  launcher.spawnv_async(["true"], null, (source, result) => started.push(source.spawnv_finish(result)));
  iterateUntil(context, () => started.length === 1);
  started[0]?.wait_check(null);
});
answer("a launch within another context, and a call that blocks there", started[0]?.get_successful());

const pid = (() => launcher.spawnv(["sh", "-c", "sleep 0.2; exit 0"]).get_identifier())();
for (let round = 0; round < 5; round++) System.gc();
answer("a child that nothing refers to runs on", GLib.file_test(`/proc/${pid}`, GLib.FileTest.EXISTS));
await new Promise((resolve) => setTimeout(resolve, 1000));
answer("and ends by itself", !GLib.file_test(`/proc/${pid}`, GLib.FileTest.EXISTS));

function property(name, type) {
  const value = new GObject.Value();
  value.init(type);
  launcher.get_property(name, value);
  return value;
}
launcher.backend = one.Backend.BUBBLEWRAP;
answer("properties of GObject", [
  property("backend", GObject.TYPE_STRING).get_string(),
  property("maximum-output", GObject.TYPE_INT64).get_int64(),
  property("sandbox", one.Sandbox.$gtype).get_object(),
]);

const unheard = launcher.spawnv(["true"]);
unheard.wait_async(null, null);
answer("a callback that is null", unheard.wait(null));
