/* global print, logError, ARGV */
/**
 * This project on GJS: for each line on standard input, /bin/true from spawn to exit, and the milliseconds that it took. With
 * the word "open" in a sandbox that is kept open, else in a new one each time.
 */
import Gio from "gi://Gio";
import GLib from "gi://GLib";
import { SandboxSubprocessLauncher } from "../../dist/gjs/gio-sandbox.js";

Gio._promisify(Gio.DataInputStream.prototype, "read_line_async", "read_line_finish_utf8");

async function launchOnce(launcher) {
  const start = GLib.get_monotonic_time();
  const child = await launcher.spawnv_async(["/bin/true"], null);
  await child.wait_check_async(null);
  return (GLib.get_monotonic_time() - start) / 1000;
}

async function answer() {
  const launcher = new SandboxSubprocessLauncher();
  if (ARGV[0] === "open") launcher.sandbox = await launcher.open_sandbox_async("kept", null);
  const input = Gio.DataInputStream.new(Gio.UnixInputStream.new(0, false));
  for (;;) {
    const [line] = await input.read_line_async(GLib.PRIORITY_DEFAULT, null);
    if (line === null) return;
    print(await launchOnce(launcher));
  }
}

const loop = GLib.MainLoop.new(null, false);
answer().catch(logError).finally(() => loop.quit());
loop.run();
