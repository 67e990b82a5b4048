/**
 * A window that runs a command in a sandbox, with node-gtk and GTK 4: what the command writes appears as it comes, and the
 * button ends it. The same for GJS is beside it.
 *
 *     npm install gio-sandbox node-gtk
 *     node node-gtk.mjs ["COMMAND"]
 */
import { SandboxPermissions, SandboxSubprocessLauncher } from "gio-sandbox";
import gi from "node-gtk";

const GLib = gi.require("GLib", "2.0");
const Gio = gi.require("Gio", "2.0");
const Gtk = gi.require("Gtk", "4.0");

const TICK = 100; // milliseconds
const KEPT = 200_000; // characters of output
const { STDOUT_PIPE, STDERR_MERGE } = Gio.SubprocessFlags;

const application = new Gtk.Application({ applicationId: "org.example.Runner", flags: Gio.ApplicationFlags.NON_UNIQUE });
application.on("activate", () => new Runner().window.present());
application.run([]);

class Runner {
  #command = new Gtk.Entry({
    text: process.argv[2] ?? "hostname; ls -A / ~; for n in $(seq 100); do echo $n; sleep 0.1; done",
    hexpand: true,
  });
  #network = new Gtk.CheckButton({ label: "Network" });
  #home = new Gtk.CheckButton({ label: "Home, read-only" });
  #button = new Gtk.Button({ label: "Run" });
  #clock = new Gtk.Label({ label: "0.0 s", cssClasses: ["numeric", "dim-label"] });
  #output = new Gtk.TextBuffer();
  #view = new Gtk.TextView({
    ...{ buffer: this.#output, editable: false, cursorVisible: false, monospace: true, wrapMode: Gtk.WrapMode.CHAR },
    ...{ leftMargin: 12, rightMargin: 12, topMargin: 12, bottomMargin: 12, vexpand: true },
  });
  #status = new Gtk.Label({ label: "Nothing has run yet", xalign: 0, hexpand: true });
  #started = Date.now();
  #cancellable = null; // of the command that runs
  #pipe = null; // its output

  window = new Gtk.ApplicationWindow({ application, title: "Runner", defaultWidth: 720, defaultHeight: 480 });

  constructor() {
    const header = new Gtk.HeaderBar();
    header.packStart(this.#button);
    header.packEnd(this.#clock);
    const options = this.#box(Gtk.Orientation.HORIZONTAL, [this.#command, this.#network, this.#home]);
    const scrolled = new Gtk.ScrolledWindow({ child: this.#view, hasFrame: true });
    const content = this.#box(Gtk.Orientation.VERTICAL, [options, scrolled, this.#status]);
    for (const side of ["marginTop", "marginBottom", "marginStart", "marginEnd"]) content[side] = 12;
    this.window.setTitlebar(header);
    this.window.setChild(content);
    this.window.setFocus(this.#button);

    this.#button.on("clicked", () => (this.#cancellable === null ? void this.#run() : this.#cancellable.cancel()));
    this.#command.on("activate", () => this.#cancellable ?? void this.#run());
    const ticking = GLib.timeoutAdd(GLib.PRIORITY_DEFAULT, TICK, () => this.#tick());
    this.window.on("close-request", () => {
      GLib.sourceRemove(ticking);
      this.#cancellable?.cancel();
      return false;
    });
  }

  async #run() {
    const cancellable = new Gio.Cancellable();
    this.#cancellable = cancellable;
    this.#output.setText("", -1);
    this.#show("Stop", "Starting");
    try {
      const launcher = SandboxSubprocessLauncher.new(STDOUT_PIPE | STDERR_MERGE);
      launcher.permissions = this.#permissions();
      const child = await launcher.spawnvAsync(["sh", "-c", this.#command.getText()], cancellable);
      cancellable.connect(() => child.forceExit());
      this.#pipe = child.getStdoutPipe().setEncoding("utf8");
      this.#show("Stop", `Running as process ${child.getIdentifier() ?? "?"}`);
      await Promise.all([child.waitAsync(), new Promise((resolve) => this.#pipe.once("close", resolve))]);
      if (cancellable.isCancelled()) this.#show("Run", "Stopped");
      else if (child.getIfExited()) this.#show("Run", `Exited with ${child.getExitStatus()}`);
      else this.#show("Run", `Ended by signal ${child.getTermSig()}`);
    } catch (error) {
      this.#show("Run", error.message);
    }
    this.#cancellable = null;
    this.#pipe = null;
  }

  #permissions() {
    const permissions = new SandboxPermissions();
    if (this.#network.getActive()) permissions.share("network");
    if (this.#home.getActive()) permissions.addFilesystem("home:ro");
    return permissions;
  }

  #show(label, status) {
    this.#button.setLabel(label);
    this.#status.setLabel(status);
    this.window.setTitle(status);
  }

  /** Takes what has come from the pipe: never more at a time than the pipe holds, so that the window stays responsive. */
  #tick() {
    this.#clock.setLabel(`${((Date.now() - this.#started) / 1000).toFixed(1)} s`);
    const text = this.#pipe?.read() ?? null;
    if (text !== null) this.#append(text.replaceAll("\0", "\u2400"));
    return GLib.SOURCE_CONTINUE;
  }

  #append(text) {
    this.#output.insert(this.#output.getEndIter(), text, -1);
    const surplus = this.#output.getCharCount() - KEPT;
    if (surplus > 0) this.#output.delete(this.#output.getStartIter(), this.#output.getIterAtOffset(surplus));
    this.#view.scrollMarkOnscreen(this.#output.getInsert());
  }

  #box(orientation, children) {
    const box = new Gtk.Box({ orientation, spacing: 12 });
    for (const child of children) box.append(child);
    return box;
  }
}
