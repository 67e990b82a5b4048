/** A GLib main loop, in it a callback of Node's, and in that another GLib main loop. */
import { SandboxSubprocessLauncher } from "../../src/node/index.js";
import { loadNodeGtk } from "./node-gtk.js";

const gi = loadNodeGtk();
const GLib = gi.require("GLib", "2.0");
const Gio = gi.require("Gio", "2.0");
const launcher = SandboxSubprocessLauncher.new(Gio.SubprocessFlags["STDOUT_PIPE"] ?? 0);
const events: string[] = [];
const outer = GLib.MainLoop.new(null, false);

async function launch(): Promise<void> {
  const child = await launcher.spawnvAsync(["echo", "hello"]);
  events.push("launched");
  const [output] = await child.communicateUtf8Async();
  events.push(output ?? "");
  outer.quit();
  console.log(JSON.stringify({ events }));
}

function runInnerLoop(): void {
  const inner = GLib.MainLoop.new(null, false);
  void launch();
  setTimeout(() => events.push("Node"), 1);
  GLib.timeoutAdd(0, 200, () => {
    events.push("GLib");
    inner.quit();
    return false;
  });
  events.push("inner loop begins");
  inner.run();
  events.push("inner loop ends");
}

// the first turn of the outer loop has to have begun: a timer before that is libuv's own
GLib.idleAdd(200, () => {
  setTimeout(runInnerLoop, 5);
  return false;
});
outer.run();
