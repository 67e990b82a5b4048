/* global print, logError */
/** Real Gio.Subprocess: for each line on standard input, /bin/true from spawn to exit, and the milliseconds that it took. */
import Gio from "gi://Gio";
import GLib from "gi://GLib";

Gio._promisify(Gio.Subprocess.prototype, "wait_check_async", "wait_check_finish");
Gio._promisify(Gio.DataInputStream.prototype, "read_line_async", "read_line_finish_utf8");

async function launchOnce() {
  const start = GLib.get_monotonic_time();
  const child = Gio.Subprocess.new(["/bin/true"], Gio.SubprocessFlags.NONE);
  await child.wait_check_async(null);
  return (GLib.get_monotonic_time() - start) / 1000;
}

async function answer() {
  const input = Gio.DataInputStream.new(Gio.UnixInputStream.new(0, false));
  for (;;) {
    const [line] = await input.read_line_async(GLib.PRIORITY_DEFAULT, null);
    if (line === null) return;
    print(await launchOnce());
  }
}

const loop = GLib.MainLoop.new(null, false);
answer().catch(logError).finally(() => loop.quit());
loop.run();
