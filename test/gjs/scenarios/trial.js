import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";

export const F = Gio.SubprocessFlags;

const PRIORITY = GLib.PRIORITY_DEFAULT;

/** What one run of a scenario works with: an implementation of the two classes, and a directory for its files. */
export class Trial {
  #implementation;
  #processes = [];
  #sandboxes = [];
  directory = GLib.Dir.make_tmp("gio-sandbox-scenario-XXXXXX");

  /**
   * @param implementation `Launcher`, `Subprocess`, `launch(launcher, argv)`, which may give a promise,
   *   `allow(launcher, directory)`, which lets a launcher's children read a directory of the host, and `module`
   */
  constructor(implementation) {
    this.#implementation = implementation;
    this.Launcher = implementation.Launcher;
    this.Subprocess = implementation.Subprocess;
    /** Our module; null with GIO. */
    this.module = implementation.module;
  }

  launcher(flags = 0) {
    return new this.Launcher({ flags });
  }

  /** A launcher whose children can read the files of this run, and execute them. */
  launcherWithFiles(flags = 0) {
    const launcher = this.launcher(flags);
    this.#implementation.allow(launcher, this.directory);
    return launcher;
  }

  async launch(launcher, argv) {
    return this.started(await this.launchAlone(launcher, argv));
  }

  /** Launches a process that this run keeps no reference to. */
  async launchAlone(launcher, argv) {
    return this.#implementation.launch(launcher, argv);
  }

  spawn(flags, ...argv) {
    return this.launch(this.launcher(flags), argv);
  }

  shell(flags, script) {
    return this.spawn(flags, "sh", "-c", script);
  }

  /** Has a process end with this run, if nothing else ends it. */
  started(process) {
    this.#processes.push(process);
    return process;
  }

  /** Has a sandbox end with this run. */
  sandbox(sandbox) {
    this.#sandboxes.push(sandbox);
    return sandbox;
  }

  path(name) {
    return `${this.directory}/${name}`;
  }

  /** Makes a file, and says where it is. */
  write(name, contents, mode = 0o644) {
    const path = this.path(name);
    GLib.file_set_contents_full(path, new TextEncoder().encode(contents), GLib.FileSetContentsFlags.NONE, mode);
    return path;
  }

  /** A new descriptor of a file, the caller's to close. */
  open(name, mode) {
    return openPath(this.path(name), mode);
  }

  read(name) {
    return new TextDecoder().decode(GLib.file_get_contents(this.path(name))[1]);
  }

  async end() {
    for (const sandbox of this.#sandboxes) sandbox.close();
    for (const process of this.#processes) {
      try {
        process.force_exit();
        await callback(process, "wait", null);
      } catch {
        // it was never started, or the scenario is about such a failure
      }
    }
    const directory = Gio.File.new_for_path(this.directory);
    const children = directory.enumerate_children("standard::name", Gio.FileQueryInfoFlags.NONE, null);
    for (let info = children.next_file(null); info !== null; info = children.next_file(null)) children.get_child(info).delete(null);
    directory.delete(null);
  }
}

/** A new descriptor for a path, the caller's to close. Mode as of fopen(). */
export function openPath(path, mode) {
  const channel = GLib.IOChannel.new_file(path, mode);
  const list = new Gio.UnixFDList();
  list.append(channel.unix_get_fd());
  channel.shutdown(false);
  return list.steal_fds()[0];
}

export function isOpen(descriptor) {
  return GLib.file_test(`/proc/self/fd/${descriptor}`, GLib.FileTest.IS_SYMLINK);
}

/** The three ways to call what waits. */
export const forms = {
  blocking: (object, method, ...parameters) => object[method](...parameters),
  callback,
  promise: (object, method, ...parameters) => object[`${method}_async`](...parameters),
};

/** What the `_finish` method gives that belongs to an `_async` one. */
export function callback(object, method, ...parameters) {
  return new Promise((resolve, reject) => {
    object[`${method}_async`](...parameters, (_source, result) => {
      try {
        resolve(object[`${method}_finish`](result));
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** A scenario in several forms: the fields of its result have the form's name in front. */
export function inForms(names, scenario) {
  return async (trial) => {
    const all = {};
    for (const name of names) {
      const result = await scenario(trial, forms[name], name);
      for (const [field, value] of Object.entries(result)) all[`${name}: ${field}`] = value;
    }
    return all;
  };
}

export function inEachForm(scenario) {
  return inForms(Object.keys(forms), scenario);
}

/** What comes of something, a failure too, as plain data. */
export async function outcome(work) {
  try {
    return plain(await work());
  } catch (error) {
    return failure(error);
  }
}

/** The same of what does not wait, without the wait for it. */
export function outcomeNow(work) {
  try {
    return plain(work());
  } catch (error) {
    return failure(error);
  }
}

function plain(value) {
  if (value === undefined) return "undefined";
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof GLib.Bytes) return { bytes: latin1(value.toArray()) };
  if (typeof value === "object" && value !== null) return { object: typeName(value) };
  return value;
}

function latin1(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** GObject's name for an object's class; the language's, for what is no GObject. */
export function typeName(object) {
  return object.constructor.$gtype?.name ?? object.constructor.name;
}

function failure(error) {
  if (!(error instanceof GLib.Error)) return { error: error.constructor.name };
  const { domain, code, message } = error;
  return { error: GLib.quark_to_string(domain), code, message, class: error.constructor.name };
}

export function bytes(text) {
  return new GLib.Bytes(new TextEncoder().encode(text));
}

export function textInput(text) {
  return Gio.MemoryInputStream.new_from_bytes(bytes(text));
}

export function cancelled() {
  const cancellable = new Gio.Cancellable();
  cancellable.cancel();
  return cancellable;
}

export function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until a condition holds, but not for ever. */
export async function until(condition) {
  const end = GLib.get_monotonic_time() + 20_000_000;
  while (!condition()) {
    if (GLib.get_monotonic_time() > end) throw new Error(`It took too long until ${condition}.`);
    await sleep(10);
  }
}

/** What a promise gives, or "never" if that takes long. */
export function soon(promise) {
  return Promise.race([promise, sleep(500).then(() => "never")]);
}

/** All that a stream has, as text. */
export async function readAll(stream) {
  let text = "";
  for (;;) {
    const chunk = await callback(stream, "read_bytes", 65536, PRIORITY, null);
    if (chunk.get_size() === 0) return text;
    text += latin1(chunk.toArray());
  }
}

/** Moves all that one stream has to another, and closes both. */
export function splice(target, source) {
  const close = Gio.OutputStreamSpliceFlags.CLOSE_SOURCE | Gio.OutputStreamSpliceFlags.CLOSE_TARGET;
  return new Promise((resolve, reject) => {
    target.splice_async(source, close, PRIORITY, null, (_source, result) => {
      try {
        resolve(target.splice_finish(result));
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** The letter that /proc has for the state of a process. */
export function processState(identifier) {
  const [, contents] = GLib.file_get_contents(`/proc/${identifier}/stat`);
  const stat = new TextDecoder().decode(contents);
  return stat.slice(stat.lastIndexOf(")") + 2).charAt(0);
}

/** Scenarios whose names begin alike. */
export function group(name, scenarios) {
  return Object.entries(scenarios).map(([title, scenario]) => [`${name} ${title}`, scenario]);
}
