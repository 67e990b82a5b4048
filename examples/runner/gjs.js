/**
 * A window that runs a command in a sandbox, with GJS and GTK 4: what the command writes appears as it comes, and the
 * button ends it. The same for node-gtk is beside it.
 *
 *     gjs -m examples/runner/gjs.js ["COMMAND"]
 */
import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import Gtk from "gi://Gtk?version=4.0";
import { programArgs } from "system";
import { SandboxPermissions, SandboxSubprocessLauncher } from "../../dist/gjs/gio-sandbox.js";

const TICK = 100; // milliseconds
const KEPT = 200_000; // characters of output
const CHUNK = 65536; // bytes that are read at a time, and once in a tick, so that the window stays responsive
const { STDOUT_PIPE, STDERR_MERGE } = Gio.SubprocessFlags;

Gio._promisify(Gio.InputStream.prototype, "read_bytes_async", "read_bytes_finish");

class Runner {
  #command = new Gtk.Entry({
    text: programArgs[0] ?? "hostname; ls -A / ~; for n in $(seq 100); do echo $n; sleep 0.1; done",
    hexpand: true,
  });
  #network = new Gtk.CheckButton({ label: "Network" });
  #home = new Gtk.CheckButton({ label: "Home, read-only" });
  #button = new Gtk.Button({ label: "Run" });
  #clock = new Gtk.Label({ label: "0.0 s", css_classes: ["numeric", "dim-label"] });
  #output = new Gtk.TextBuffer();
  #view = new Gtk.TextView({
    ...{ buffer: this.#output, editable: false, cursor_visible: false, monospace: true, wrap_mode: Gtk.WrapMode.CHAR },
    ...{ left_margin: 12, right_margin: 12, top_margin: 12, bottom_margin: 12, vexpand: true },
  });
  #status = new Gtk.Label({ label: "Nothing has run yet", xalign: 0, hexpand: true });
  #started = GLib.get_monotonic_time();
  #cancellable = null; // of the command that runs

  constructor(application) {
    this.window = new Gtk.ApplicationWindow({ application, title: "Runner", default_width: 720, default_height: 480 });
    const header = new Gtk.HeaderBar();
    header.pack_start(this.#button);
    header.pack_end(this.#clock);
    const options = this.#box(Gtk.Orientation.HORIZONTAL, [this.#command, this.#network, this.#home]);
    const scrolled = new Gtk.ScrolledWindow({ child: this.#view, has_frame: true });
    const content = this.#box(Gtk.Orientation.VERTICAL, [options, scrolled, this.#status]);
    for (const side of ["margin_top", "margin_bottom", "margin_start", "margin_end"]) content[side] = 12;
    this.window.set_titlebar(header);
    this.window.set_child(content);
    this.window.set_focus(this.#button);

    const start = () => void this.#run();
    this.#button.connect("clicked", () => (this.#cancellable === null ? start() : this.#cancellable.cancel()));
    this.#command.connect("activate", () => this.#cancellable ?? start());
    const ticking = GLib.timeout_add(GLib.PRIORITY_DEFAULT, TICK, () => {
      this.#clock.label = `${((GLib.get_monotonic_time() - this.#started) / 1e6).toFixed(1)} s`;
      return GLib.SOURCE_CONTINUE;
    });
    this.window.connect("close-request", () => {
      GLib.source_remove(ticking);
      this.#cancellable?.cancel();
      return false;
    });
  }

  async #run() {
    const cancellable = new Gio.Cancellable();
    this.#cancellable = cancellable;
    this.#output.text = "";
    this.#show("Stop", "Starting");
    try {
      const launcher = SandboxSubprocessLauncher.new(STDOUT_PIPE | STDERR_MERGE);
      launcher.permissions = this.#permissions();
      const child = await launcher.spawnv_async(["sh", "-c", this.#command.text], cancellable);
      cancellable.connect(() => child.force_exit());
      this.#show("Stop", `Running as process ${child.get_identifier() ?? "?"}`);
      await Promise.all([child.wait_async(null), this.#take(child.get_stdout_pipe())]);
      if (cancellable.is_cancelled()) this.#show("Run", "Stopped");
      else if (child.get_if_exited()) this.#show("Run", `Exited with ${child.get_exit_status()}`);
      else this.#show("Run", `Ended by signal ${child.get_term_sig()}`);
    } catch (error) {
      this.#show("Run", error.message);
    }
    this.#cancellable = null;
  }

  #permissions() {
    const permissions = new SandboxPermissions();
    if (this.#network.active) permissions.share("network");
    if (this.#home.active) permissions.add_filesystem("home:ro");
    return permissions;
  }

  #show(label, status) {
    this.#button.label = label;
    this.#status.label = status;
    this.window.title = status;
  }

  /** Shows what comes from the pipe until it ends. */
  async #take(pipe) {
    let rest = [];
    for (;;) {
      const bytes = await pipe.read_bytes_async(CHUNK, GLib.PRIORITY_DEFAULT, null);
      if (bytes.get_size() === 0) return;
      const all = Uint8Array.from([...rest, ...bytes.toArray()]);
      const end = endOfText(all);
      rest = all.slice(end);
      this.#append(new TextDecoder().decode(all.subarray(0, end)).replaceAll("\0", "\u2400"));
      await new Promise((resolve) => setTimeout(resolve, TICK));
    }
  }

  #append(text) {
    this.#output.insert(this.#output.get_end_iter(), text, -1);
    const surplus = this.#output.get_char_count() - KEPT;
    if (surplus > 0) this.#output.delete(this.#output.get_start_iter(), this.#output.get_iter_at_offset(surplus));
    this.#view.scroll_mark_onscreen(this.#output.get_insert());
  }

  #box(orientation, children) {
    const box = new Gtk.Box({ orientation, spacing: 12 });
    for (const child of children) box.append(child);
    return box;
  }
}

/** Where the last character that is complete ends: the bytes of one may come in two pieces. */
function endOfText(bytes) {
  for (let length = 1; length <= 3 && length <= bytes.length; length++) {
    const byte = bytes[bytes.length - length];
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if (wanted > length) return bytes.length - length;
    if (byte < 0x80 || byte >= 0xc0) break;
  }
  return bytes.length;
}

const application = new Gtk.Application({ application_id: "org.example.Runner", flags: Gio.ApplicationFlags.NON_UNIQUE });
application.connect("activate", () => new Runner(application).window.present());
application.run([]);
