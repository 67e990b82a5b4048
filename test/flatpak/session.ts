import type { ChildProcess, ChildProcessByStdio, StdioOptions } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execPath, getgid, getuid } from "node:process";
import { createInterface } from "node:readline";
import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("session.sh", import.meta.url));

/** How long a session may take to be there, in milliseconds. */
const START_TIMEOUT = 60_000;

/** What is activated on the session bus, where it is installed. Nothing else is: no test shall depend on a desktop. */
const services = [
  "org.freedesktop.portal.Flatpak",
  "org.freedesktop.Flatpak",
  "org.freedesktop.impl.portal.PermissionStore",
];

/** Its file system is mounted by a set-uid program, which has no power in an ordinary user's own namespace. */
const servicesWithFuse = ["org.freedesktop.portal.Documents"];

/**
 * An ordinary user's login session with two buses of its own, in a mount and a pid namespace, so that nothing that runs
 * in it outlives it. It ends when it is disposed of, and by itself when this process ends, in whatever way.
 */
export class FlatpakSession implements AsyncDisposable {
  /** The user's, below a temporary directory; it can be read and written here and in the session. */
  readonly directory: string;
  /** Where an installation of Flatpak stays from one session to the next. */
  readonly cache: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly #keeper: Keeper;
  readonly #holder: number;

  private constructor(directory: string, environment: Readonly<Record<string, string>>, keeper: Keeper, holder: number) {
    this.directory = directory;
    this.cache = join(directory, "cache");
    this.#keeper = keeper;
    this.#holder = holder;
    this.environment = environment;
  }

  /**
   * @param cache a directory; it is given to the user that the session is of
   * @param variables for all that runs in the session, as `DISPLAY`
   */
  static async start(cache: string, variables: Readonly<Record<string, string>> = {}): Promise<FlatpakSession> {
    const { uid, gid } = unprivileged();
    const directory = makeDirectory(cache);
    const environment = { ...environmentIn(directory), ...variables };
    const keeper = spawn("sh", [script, directory, cache, String(uid), String(gid)], {
      stdio: ["pipe", "pipe", "pipe"],
      // what is activated on the buses has the session's environment as well
      env: environment,
      // it has to be there after a Ctrl-C, to clean up
      detached: true,
    });
    let complaint = "";
    keeper.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
    // it may have ended before
    keeper.stdin.on("error", () => undefined);
    const expiry = setTimeout(() => {
      complaint += `it was not there after ${START_TIMEOUT} ms`;
      keeper.stdin.end();
    }, START_TIMEOUT);
    const lines = createInterface(keeper.stdout)[Symbol.asyncIterator]();
    const holder = await lines.next();
    const answer = await lines.next();
    clearTimeout(expiry);
    if (answer.value !== "ready" || keeper.stdin.writableEnded) {
      if (keeper.exitCode === null) await once(keeper, "exit");
      // it may not even have begun
      rmSync(directory, { recursive: true, force: true });
      throw new Error(`No session for Flatpak could be started: ${complaint}`);
    }
    letGo(keeper);
    return new FlatpakSession(directory, environment, keeper, Number(holder.value));
  }

  /** The address of the session bus. It can be connected to from outside the session too. */
  get busAddress(): string {
    return this.environment["DBUS_SESSION_BUS_ADDRESS"] ?? "";
  }

  /**
   * Starts a program in the session, as its user. SIGKILL to what is returned kills the program itself, other signals
   * do not reach it.
   */
  spawn(argv: readonly string[], stdio: StdioOptions): ChildProcess {
    const namespaces = `/proc/${this.#holder}/ns`;
    const { uid, gid } = unprivileged();
    const isRoot = getuid?.() === 0;
    return spawn(
      "nsenter",
      [
        ...(isRoot ? [] : [`--user=${namespaces}/user`, "--preserve-credentials"]),
        ...[`--mount=${namespaces}/mnt`, `--pid=${namespaces}/pid_for_children`, "--", "setpriv"],
        ...(isRoot ? [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"] : []),
        ...["--pdeathsig=KILL", "--", ...argv],
      ],
      { stdio, env: this.environment },
    );
  }

  /** Ends everything in the session, waits for it, and removes its directory. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return;
    const ended = once(this.#keeper, "exit");
    this.#keeper.ref();
    this.#keeper.stdin.end();
    await ended;
  }
}

/** A session that a test has forgotten ends with the test run, and does not hold it up. */
function letGo(keeper: Keeper): void {
  keeper.unref();
  for (const stream of [keeper.stdin, keeper.stdout, keeper.stderr]) (stream as Socket).unref();
}

function environmentIn(directory: string): Record<string, string> {
  return {
    // the tests' own Node, wherever it is, is also the runtime's
    PATH: `${dirname(execPath)}:/usr/local/bin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    HOME: join(directory, "home"),
    XDG_RUNTIME_DIR: join(directory, "run"),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(directory, "session-bus")}`,
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(directory, "system-bus")}`,
    FLATPAK_USER_DIR: join(directory, "cache/installation"),
    // neither the machine's applications nor its overrides
    FLATPAK_SYSTEM_DIR: join(directory, "system"),
  };
}

type Keeper = ChildProcessByStdio<Writable, Readable, Readable>;

/** Whom applications run as: whoever runs the tests, but nobody in root's place. */
export function unprivileged(): { readonly uid: number; readonly gid: number } {
  const uid = getuid?.() ?? 0;
  return uid === 0 ? { uid: 65534, gid: 65534 } : { uid, gid: getgid?.() ?? uid };
}

function makeDirectory(cache: string): string {
  const { uid, gid } = unprivileged();
  const directory = mkdtempSync(join(tmpdir(), "gio-sandbox-flatpak-"));
  const isRoot = getuid?.() === 0;
  const owned = ["home", "run", "services", "system"].map((name) => join(directory, name));
  for (const path of owned) mkdirSync(path, { mode: 0o700 });
  for (const name of ["cache", "device"]) mkdirSync(join(directory, name));
  for (const service of isRoot ? [...services, ...servicesWithFuse] : services) {
    const file = `/usr/share/dbus-1/services/${service}.service`;
    if (existsSync(file)) writeFileSync(join(directory, "services", `${service}.service`), readFileSync(file));
  }
  for (const bus of ["session", "system"]) writeFileSync(join(directory, `${bus}.conf`), busConfiguration(directory, bus));
  if (isRoot) {
    for (const path of [directory, cache, ...owned]) chownSync(path, uid, gid);
  }
  return directory;
}

function busConfiguration(directory: string, bus: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <keep_umask/>
  <listen>unix:path=${directory}/${bus}-bus</listen>
  <auth>EXTERNAL</auth>
  ${bus === "session" ? `<servicedir>${directory}/services</servicedir>` : ""}
  <policy context="default">
    <!-- the directory keeps out whoever it is not for -->
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}
