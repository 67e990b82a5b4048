import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { accessSync, constants, statSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { env } from "node:process";
import type { BubblewrapFacts } from "../plan/bubblewrap-facts.js";
import type { BusProxyDescriptor, BusProxyRequest, SandboxIdentity } from "../plan/bus-proxy.js";
import { BUBBLEWRAP_INFO, bubblewrapInfo, busSocketName, DEFAULT_APPLICATION, planBusProxy } from "../plan/bus-proxy.js";
import type { DesktopPlan } from "../plan/desktop-plan.js";
import { errnoMessage } from "../subprocess/errno.js";
import type { GLibError } from "../subprocess/glib-error.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import { dataFile } from "./data-file.js";
import { bubblewrapError, isRefusal } from "./bubblewrap-error.js";
import { DescriptorScope } from "./descriptor-scope.js";
import { openDiagnostics, readDiagnostics } from "./diagnostics.js";
import { hostFacts } from "./host.js";
import { killDescendants } from "./host-processes.js";
import { PrivateDirectory } from "./private-directory.js";
import { errnoOf } from "./system-failure.js";

/** An identity that no other sandbox has. */
export function newIdentity(application = DEFAULT_APPLICATION): SandboxIdentity {
  // a decimal number of 32 bits, as Flatpak's
  return { application, instance: String(randomInt(1, 0xffffffff)) };
}

/** What a proxy is started with. */
export interface BusProxySettings {
  readonly bubblewrap: BubblewrapFacts;
  /** What has the buses, and the content of /.flatpak-info. */
  readonly desktop: DesktopPlan;
  readonly identity: SandboxIdentity;
  /** The descriptors that the plan's upstream sockets mean. They stay the caller's. */
  readonly descriptors: readonly number[];
}

/**
 * An xdg-dbus-proxy that runs, for one sandbox. It ends when it is closed, and when this program does, in whatever way;
 * nothing of it is left then, neither a process nor a file.
 */
export interface BusProxy {
  /** The sockets of the plan's buses, in their order: O_PATH descriptors, which are the proxy's, and their paths. */
  readonly sockets: readonly { readonly path: string; readonly descriptor: number }[];
  /** Settles, without an error, when nothing of it is left. */
  readonly ended: Promise<void>;
  /** Takes the sockets' names away. Mounts of them, and the descriptors, stay good. */
  hide(): void;
  /**
   * Tells portals which processes are in the sandbox.
   *
   * @param pid the first process of the sandbox, as the host sees it
   */
  publishPid(pid: number): void;
  close(): void;
  /** Lets the program end although the proxy has not. */
  unref(): void;
  /** Undoes `unref()`. */
  ref(): void;
}

/**
 * Starts a proxy, and waits until it listens.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE if xdg-dbus-proxy is not installed, SETUP_FAILED if it did not
 *   come up, with what it wrote, or did not within ten seconds
 */
export async function startBusProxy(settings: BusProxySettings): Promise<BusProxy> {
  const proxy = new RunningBusProxy(settings, proxyProgram());
  await proxy.ready();
  return proxy;
}

/** Only what is in /usr is in the proxy's sandbox. */
function proxyProgram(): string {
  const path = ["/usr/bin/xdg-dbus-proxy", "/usr/local/bin/xdg-dbus-proxy"].find(isExecutable);
  if (path !== undefined) return path;
  throw sandboxError(
    "NOT_AVAILABLE",
    "A message bus can be granted in part only through xdg-dbus-proxy, which was not found in /usr/bin or /usr/local/bin. " +
      "Install the package xdg-dbus-proxy.",
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Milliseconds that a proxy has to come up, and to end by itself. */
const START_TIMEOUT = 10_000;
const PATIENCE = 2000;

class RunningBusProxy implements BusProxy {
  readonly sockets: { readonly path: string; readonly descriptor: number }[] = [];
  readonly ended: Promise<void>;
  readonly #request: BusProxyRequest;
  readonly #scope = new DescriptorScope();
  readonly #diagnostics: number;
  readonly #child: ChildProcess;
  /** Our end of the pipe: the proxy ends with it. */
  readonly #pipe: Socket;
  /** Whether it listens: false at the pipe's end without a byte. */
  readonly #listens: Promise<boolean>;
  /** Once it listens. */
  #directory: PrivateDirectory | null = null;
  #infoDirectory: PrivateDirectory | null = null;
  #spawnError: unknown = null;
  /** What it wrote to its standard error: known once it has ended. */
  #complaint = "";

  constructor({ bubblewrap, desktop, identity, descriptors }: BusProxySettings, proxy: string) {
    this.#request = {
      ...{ host: hostFacts(), bubblewrap, proxy, buses: desktop.buses, info: desktop.info },
      ...{ directory: newName(), infoDirectory: desktop.info === null ? null : infoDirectory(identity) },
    };
    const temporary = new DescriptorScope();
    try {
      this.#diagnostics = openDiagnostics(this.#scope);
      const [ours, theirs] = temporary.pipe();
      this.#child = this.#spawn(theirs, descriptors, temporary);
      this.#pipe = new Socket({ fd: temporary.release(ours), readable: true, writable: false });
    } catch (error) {
      this.#scope[Symbol.dispose]();
      throw error;
    } finally {
      temporary[Symbol.dispose]();
    }
    this.#listens = new Promise((resolve) => {
      this.#pipe.once("data", () => resolve(true));
      this.#pipe.once("close", () => resolve(false));
      this.#pipe.on("error", () => undefined);
    });
    this.ended = this.#wait();
  }

  /** Waits until it listens. One that fails to leaves nothing behind. */
  async ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => (timer = setTimeout(() => resolve("late"), START_TIMEOUT)));
    const outcome = await Promise.race([this.#listens, late]).finally(() => clearTimeout(timer));
    if (outcome !== true) throw await this.#failed(outcome);
    try {
      this.#openSockets();
    } catch (cause) {
      this.close();
      await this.ended;
      throw sandboxError("SETUP_FAILED", "xdg-dbus-proxy says that it listens, but its sockets are not there", { cause });
    }
  }

  hide(): void {
    this.#directory?.remove(socketNames);
  }

  publishPid(pid: number): void {
    try {
      this.#infoDirectory?.write(BUBBLEWRAP_INFO, bubblewrapInfo(pid));
    } catch {
      // portals know the child without it, but not its process ids
    }
  }

  close(): void {
    this.ref();
    this.#pipe.destroy();
    const timer = setTimeout(() => this.#kill(), PATIENCE);
    timer.unref();
    void this.ended.then(() => clearTimeout(timer));
  }

  unref(): void {
    this.#pipe.unref();
    this.#child.unref();
  }

  ref(): void {
    this.#pipe.ref();
    this.#child.ref();
  }

  #spawn(ready: number, upstreams: readonly number[], temporary: DescriptorScope): ChildProcess {
    const plan = planBusProxy(this.#request);
    const realise = (planned: BusProxyDescriptor): number | "ignore" => {
      switch (planned.kind) {
        case "null":
          return "ignore";
        case "diagnostics":
          return this.#diagnostics;
        case "data":
          return dataFile(planned.bytes, temporary);
        case "ready":
          return ready;
        case "upstream":
          return upstreams[planned.index] ?? "ignore";
      }
    };
    // In a session of its own: what a terminal sends to this program's processes is not for one that is to clean up.
    return spawn(plan.program, plan.argv, { stdio: plan.descriptors.map(realise), env: {}, cwd: "/", detached: true });
  }

  #openSockets(): void {
    const { directory, infoDirectory, buses } = this.#request;
    this.#directory = new PrivateDirectory(directory, this.#scope);
    if (infoDirectory !== null) this.#infoDirectory = new PrivateDirectory(infoDirectory, this.#scope);
    for (const { proxied } of buses) {
      const name = busSocketName(proxied.bus);
      this.sockets.push({ path: join(directory, name), descriptor: this.#directory.open(name, this.#scope) });
    }
  }

  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#child.once("error", (error) => {
        this.#spawnError = error;
        resolve();
      });
      this.#child.once("exit", () => resolve());
    });
    this.#pipe.destroy();
    // the guard has done so, unless it was killed
    this.#directory?.remove(socketNames);
    this.#infoDirectory?.remove([BUBBLEWRAP_INFO]);
    this.#complaint = readDiagnostics(this.#diagnostics);
    this.#scope[Symbol.dispose]();
  }

  /** What the shell of the system has started is killed, but not that, which cleans up. */
  #kill(): void {
    if (this.#child.pid !== undefined) killDescendants(this.#child.pid);
  }

  async #failed(outcome: false | "late"): Promise<GLibError> {
    this.close();
    await this.ended;
    const diagnostics = printable(this.#complaint.trim().replaceAll("\n", "; "), 2000);
    if (this.#spawnError !== null) {
      const what = errnoMessage(errnoOf(this.#spawnError));
      return sandboxError("SETUP_FAILED", `xdg-dbus-proxy could not be started: ${what}`, { cause: this.#spawnError });
    }
    if (outcome === "late") {
      return sandboxError("SETUP_FAILED", `xdg-dbus-proxy did not come up within ${START_TIMEOUT} ms`, { diagnostics });
    }
    const { exitCode, signalCode: signal } = this.#child;
    // it runs in a sandbox of bwrap's itself
    const refusal = bubblewrapError({ exitCode, signal, stderr: this.#complaint });
    if (isRefusal(refusal)) return refusal;
    const code = exitCode ?? "?";
    const said = diagnostics === "" ? "it said nothing" : diagnostics;
    return sandboxError("SETUP_FAILED", `xdg-dbus-proxy ended with code ${code} before it listened: ${said}`, { diagnostics });
  }
}

const socketNames = (["session", "system", "a11y"] as const).map(busSocketName);

/** A name that nobody can foresee, for a directory of the proxy's own. */
function newName(): string {
  return join(runtimeDirectory() ?? tmpdir(), `gio-sandbox-${randomBytes(16).toString("hex")}`);
}

/** Where portals look for what they have to know of a Flatpak instance; null if they have nowhere to look. */
function infoDirectory({ instance }: SandboxIdentity): string | null {
  const directory = runtimeDirectory();
  return directory === null ? null : join(directory, ".flatpak", instance);
}

function runtimeDirectory(): string | null {
  const directory = env["XDG_RUNTIME_DIR"] ?? "";
  return isAbsolute(directory) && isWritable(directory) ? directory : null;
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
