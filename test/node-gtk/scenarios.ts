/** What applications do with node-gtk's objects and the launcher; each tells what came of it, as JSON can hold it. */
import { closeSync, openSync } from "node:fs";
import type { Cancellable as AnyCancellable, GLibBytes } from "../../src/node/index.js";
import {
  GLibError,
  IOErrorEnum,
  SandboxPermissions,
  SandboxSubprocess,
  SandboxSubprocessLauncher,
  SpawnError,
  SubprocessFlags,
} from "../../src/node/index.js";
import { loadNodeGtk } from "./node-gtk.js";
import type { Cancellable } from "./node-gtk.js";

const gi = loadNodeGtk();
const GLib = gi.require("GLib", "2.0");
const Gio = gi.require("Gio", "2.0");
const GObject = gi.require("GObject", "2.0");

function flags(...names: string[]): number {
  return names.reduce((all, name) => all | (Gio.SubprocessFlags[name] ?? NaN), 0);
}

const tables = new Map([
  [GLib.quarkToString(Gio.ioErrorQuark()), Gio.IOErrorEnum],
  [GLib.quarkToString(GLib.spawnErrorQuark()), GLib.SpawnError],
]);

/** The error, in the words of GLib's tables. */
async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof GLibError)) return error instanceof Error ? error.name : typeof error;
    const word = Object.entries(tables.get(error.domain) ?? {}).find(([, code]) => code === error.code)?.[0];
    return [error.domain, word ?? error.code];
  }
  return null;
}

/** Whether anything would be called back when it is cancelled. */
function hasHandler(cancellable: Cancellable): boolean {
  const signal = GObject.signalLookup("cancelled", cancellable.__gtype__);
  return GObject.signalHasHandlerPending(cancellable, signal, 0, false);
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function sleeping(): Promise<SandboxSubprocess> {
  return SandboxSubprocessLauncher.new(flags("STDIN_PIPE", "STDOUT_PIPE")).spawnvAsync(["sleep", "1000"]);
}

/** Methods alone: the properties can neither be read nor written, but given to the constructor. */
function missingMethods(theirs: object, ours: object): string[] {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(theirs)).filter(([, { value }]) => typeof value === "function");
  return methods.map(([name]) => name).filter((name) => !(name in ours)).sort();
}

export const scenarios = {
  "the methods are there under node-gtk's names, but for what cannot be had on Node": () => ({
    launcher: missingMethods(Gio.SubprocessLauncher.prototype, SandboxSubprocessLauncher.prototype),
    subprocess: missingMethods(Gio.Subprocess.prototype, SandboxSubprocess.prototype),
  }),

  "the numbers of flags and error codes are GLib's": () => {
    const pairs = [[SubprocessFlags, Gio.SubprocessFlags], [SpawnError, GLib.SpawnError], [IOErrorEnum, Gio.IOErrorEnum]] as const;
    return pairs.flatMap(([ours, theirs]) => Object.entries(ours).filter(([name, value]) => theirs[name] !== value));
  },

  "Gio.SubprocessFlags say where the streams go": async () => {
    const launcher = SandboxSubprocessLauncher.new(flags("STDOUT_PIPE", "STDERR_MERGE"));
    const merged = await launcher.spawnvAsync(["sh", "-c", "echo out; echo err >&2"]);
    const separate = await SandboxSubprocess.newAsync(["sh", "-c", "echo err >&2"], flags("STDOUT_SILENCE", "STDERR_PIPE"));
    return [await merged.communicateUtf8Async(), await separate.communicateUtf8Async()];
  },

  "GLib.Bytes go in, and what comes out goes into GLib.Bytes": async () => {
    const launcher = new SandboxSubprocessLauncher({ flags: flags("STDIN_PIPE", "STDOUT_PIPE") });
    const all = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    const results: unknown[] = [];
    for (const bytes of [all, all.subarray(0, 1), new Uint8Array(0)]) {
      const input = GLib.Bytes.new(bytes);
      const child = await launcher.spawnvAsync(["cat"]);
      const [output] = await child.communicateAsync(input);
      results.push([output?.length, output !== null && GLib.Bytes.new(output).equal(input)]);
    }
    return results;
  },

  "what is neither bytes nor null is a TypeError": async () => {
    const launcher = new SandboxSubprocessLauncher({ flags: flags("STDIN_PIPE") });
    await using child = await launcher.spawnvAsync(["cat"]);
    const wrong: unknown[] = ["text", 3, {}, new Gio.Cancellable()];
    return await Promise.all(wrong.map((input) => errorOf(child.communicateAsync(input as GLibBytes))));
  },

  "a Gio.Cancellable that is cancelled already starts nothing": async () => {
    const cancellable = new Gio.Cancellable();
    cancellable.cancel();
    const launcher = new SandboxSubprocessLauncher();
    return [await errorOf(launcher.spawnvAsync(["true"], cancellable)), hasHandler(cancellable)];
  },

  "a Gio.Cancellable cancels a launch that is under way": async () => {
    const cancellable = new Gio.Cancellable();
    const launch = new SandboxSubprocessLauncher().spawnvAsync(["sleep", "1000"], cancellable);
    setImmediate(() => cancellable.cancel());
    return errorOf(launch);
  },

  "a Gio.Cancellable ends every wait for a child, and leaves the child alone": async () => {
    await using child = await sleeping();
    const cancellable = new Gio.Cancellable();
    const waits = [child.waitAsync(cancellable), child.waitCheckAsync(cancellable), child.communicateAsync(null, cancellable)];
    setTimeout(() => cancellable.cancel(), 20);
    const errors = await Promise.all(waits.map(errorOf));
    const isAlive = child.getIdentifier() !== null;
    child.forceExit();
    await child.waitAsync();
    return [...errors, isAlive, child.getTermSig()];
  },

  "a Gio.Cancellable is let go of when nothing waits any more": async () => {
    await using child = await sleeping();
    const cancellable = new Gio.Cancellable();
    const wait = child.waitAsync(cancellable);
    const before = hasHandler(cancellable);
    child.forceExit();
    await wait;
    return [before, hasHandler(cancellable)];
  },

  "a Gio.Cancellable that is cancelled after the end changes nothing": async () => {
    const child = await SandboxSubprocessLauncher.new(flags("STDOUT_PIPE")).spawnvAsync(["echo", "done"]);
    const cancellable = new Gio.Cancellable();
    const [output] = await child.communicateUtf8Async(null, cancellable);
    cancellable.cancel();
    return [output, await child.waitAsync(), await errorOf(child.waitAsync(cancellable))];
  },

  "a Gio.Cancellable can be reset and used again": async () => {
    await using child = await sleeping();
    const cancellable = new Gio.Cancellable();
    const results: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      const wait = child.waitAsync(cancellable);
      setTimeout(() => cancellable.cancel(), 5);
      results.push(await errorOf(wait));
      cancellable.reset();
    }
    const wait = child.waitAsync(cancellable);
    child.forceExit();
    return [...results, await wait];
  },

  "a handler of a Gio.Cancellable may end the child": async () => {
    await using child = await sleeping();
    const cancellable = new Gio.Cancellable();
    cancellable.connect(() => child.forceExit());
    setTimeout(() => cancellable.cancel(), 5);
    await child.waitAsync();
    return [child.getIfSignaled(), child.getTermSig()];
  },

  "what is no cancellable is a TypeError": async () => {
    await using child = await sleeping();
    // a callback, as the methods of node-gtk's Gio.Subprocess take one
    const wrong: unknown[] = [() => undefined, "text", 1, {}, GLib.Bytes.new([])];
    return await Promise.all(wrong.map((cancellable) => errorOf(child.waitAsync(cancellable as AnyCancellable))));
  },

  "errors have the domains and codes of GLib": async () => {
    const launcher = new SandboxSubprocessLauncher({ flags: flags("STDERR_SILENCE") });
    const failing = await launcher.spawnvAsync(["sh", "-c", "exit 3"]);
    const wrongDirectory = new SandboxSubprocessLauncher();
    wrongDirectory.setCwd("/nowhere");
    const fromFile = new SandboxSubprocessLauncher();
    fromFile.setStdinFilePath("/nowhere");
    return {
      exit: await errorOf(failing.waitCheckAsync()),
      missing: await errorOf(launcher.spawnvAsync(["there-is-no-such-program"])),
      directory: await errorOf(wrongDirectory.spawnvAsync(["true"])),
      file: await errorOf(fromFile.spawnvAsync(["true"])),
    };
  },

  "output streams while the child runs": async () => {
    const script = "for i in 1 2 3; do echo $i; read -r line; done";
    const child = await SandboxSubprocessLauncher.new(flags("STDIN_PIPE", "STDOUT_PIPE")).spawnvAsync(["sh", "-c", script]);
    const received: string[] = [];
    for await (const chunk of child.getStdoutPipe() ?? []) {
      received.push(String(chunk));
      child.getStdinPipe()?.write("next\n");
    }
    return [received, await child.waitCheckAsync()];
  },

  "a launcher takes descriptors, a working directory and an environment": async () => {
    const permissions = new SandboxPermissions().addFilesystem("/etc/hostname:ro");
    using launcher = new SandboxSubprocessLauncher({ flags: flags("STDOUT_PIPE"), permissions });
    const descriptor = openSync("/dev/null", "r");
    launcher.takeFd(descriptor, 7);
    launcher.setCwd("/usr");
    launcher.setEnviron(["A=1", "PATH=/usr/bin"]);
    launcher.setenv("B", "2", true);
    launcher.unsetenv("A");
    const child = await launcher.spawnvAsync(["sh", "-c", "pwd; readlink /proc/self/fd/7; echo $A$B"]);
    const [output] = await child.communicateUtf8Async();
    launcher.close();
    let isClosed = false;
    try {
      closeSync(descriptor);
    } catch {
      isClosed = true;
    }
    return [output, isClosed];
  },

  "many children at once all come to their ends": async () => {
    const launcher = SandboxSubprocessLauncher.new(flags("STDIN_PIPE", "STDOUT_PIPE"));
    const outputs = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        const child = await launcher.spawnvAsync(["cat"]);
        const [output] = await child.communicateAsync(GLib.Bytes.new([index]));
        return output?.[0];
      }),
    );
    return outputs;
  },

  "timers of Node's go on meanwhile": async () => {
    await using child = await sleeping();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await after(200);
    clearInterval(timer);
    child.forceExit();
    await child.waitAsync();
    return ticks >= 5;
  },
} satisfies Record<string, () => unknown>;

/** Only where GLib's sources are looked at. */
export const loopScenarios = {
  "GLib's sources go on while a child runs, and end it": async () => {
    await using child = await sleeping();
    const cancellable = new Gio.Cancellable();
    let ticks = 0;
    GLib.timeoutAdd(0, 10, () => {
      ticks++;
      if (ticks === 5) cancellable.cancel();
      return ticks < 5;
    });
    return [await errorOf(child.waitAsync(cancellable)), ticks];
  },

  "a child is launched from a callback of GLib's": () =>
    new Promise((resolve) => {
      GLib.idleAdd(200, () => {
        const launcher = SandboxSubprocessLauncher.new(flags("STDOUT_PIPE"));
        void launcher
          .spawnvAsync(["echo", "hello"])
          .then((child) => child.communicateUtf8Async())
          .then(resolve);
        return false;
      });
    }),

  "a child runs while a callback of GLib's runs a loop of its own": () =>
    new Promise((resolve) => {
      GLib.idleAdd(200, () => {
        const inner = GLib.MainLoop.new(null, false);
        let output: unknown = null;
        void SandboxSubprocessLauncher.new(flags("STDOUT_PIPE"))
          .spawnvAsync(["echo", "hello"])
          .then((child) => child.communicateUtf8Async())
          .then((result) => {
            output = result;
            inner.quit();
          });
        inner.run();
        resolve(output);
        return false;
      });
    }),
} satisfies Record<string, () => unknown>;
