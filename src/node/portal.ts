import { Buffer } from "node:buffer";
import type { PortalFacts } from "../confinement/portal-facts.js";
import { portalUnavailable } from "../plan/flatpak-portal-failure.js";
import { ErrorDomain, GLibError, sandboxError } from "../subprocess/glib-error.js";
import type { WaitStatus } from "../subprocess/wait-status.js";
import type { Bus, BusSignal } from "./bus/bus.js";
import { connectToBus } from "./bus/bus.js";
import { BusError } from "./bus/bus-error.js";

/** Who hears what becomes of one `Spawn`. */
export interface SpawnListener {
  /** The sandbox's first process runs. @param pid its pid as this program sees it; 0 if it does not */
  onSpawnStarted(pid: number): void;
  /** What the portal started has ended. */
  onSpawnExited(status: WaitStatus): void;
  /** The portal's service has ended, and says nothing any more. */
  onPortalVanished(): void;
  /** The connection to the bus has ended. */
  onDisconnected(message: string): void;
}

/** A `Spawn` message, its descriptors realised. They stay the caller's, who may close them after the call. */
export interface SpawnMessage {
  readonly directory: string;
  readonly argv: readonly string[];
  readonly descriptors: ReadonlyMap<number, number>;
  readonly environment: ReadonlyMap<string, string>;
  readonly flags: number;
  readonly sandboxFlags: number;
  readonly exposed: readonly number[];
  readonly exposedReadOnly: readonly number[];
}

const NAME = "org.freedesktop.portal.Flatpak";

const portalObject = { destination: NAME, path: "/org/freedesktop/portal/Flatpak", interface: NAME } as const;

/** Events that are kept for pids which a reply has yet to name. */
const MOST_EARLY_EVENTS = 1024;

/** Flatpak's portal, over a connection to the bus that all launches share. It lets the program end. */
export class Portal {
  readonly facts: PortalFacts;
  readonly #bus: Bus;
  readonly #listeners = new Map<number, SpawnListener>();
  /** An exit can come before the reply that says whose it is. */
  #early: { readonly pid: number; readonly tell: (listener: SpawnListener) => void }[] = [];
  #open = 0;
  readonly #keepers = new Set<object>();

  /**
   * @param where as `connectToBus()` takes it
   * @throws GLibError `gio-sandbox-error-quark` NOT_AVAILABLE without a session bus, or without the portal on it
   */
  static async connect(where: string): Promise<Portal> {
    const bus = await connected(where);
    try {
      const portal = new Portal(bus, await askFacts(bus));
      await portal.#subscribe();
      bus.unref();
      return portal;
    } catch (error) {
      bus.close();
      throw error instanceof BusError ? portalUnavailable(error.remoteName, error.remoteMessage) : error;
    }
  }

  private constructor(bus: Bus, facts: PortalFacts) {
    this.#bus = bus;
    this.facts = facts;
  }

  /** Settles when the connection has ended. */
  get closed(): Promise<unknown> {
    return this.#bus.closed;
  }

  /**
   * Calls `Spawn`. The message has been sent when this function returns.
   *
   * @param timeout milliseconds for the reply
   * @param listener hears of what comes after the reply, and of what came before it
   * @returns the portal's handle for what it started
   * @throws BusError; GLibError as `Bus.call()`
   */
  async spawn(message: SpawnMessage, timeout: number, listener: SpawnListener): Promise<number> {
    this.#open++;
    try {
      const [pid] = await this.#bus.call({ ...portalObject, member: "Spawn", ...bodyOf(message), timeout });
      if (typeof pid !== "number" || pid === 0 || this.#listeners.has(pid)) {
        throw sandboxError("SETUP_FAILED", `The sandbox could not be set up: the portal called it ${String(pid)}`);
      }
      this.#listeners.set(pid, listener);
      for (const early of this.#early.filter((event) => event.pid === pid)) early.tell(listener);
      return pid;
    } finally {
      this.#open--;
      if (this.#open === 0) this.#early = [];
    }
  }

  /** Sends a signal to all processes of what was started, as far as they stayed in their process group. */
  async signalGroup(pid: number, signal: number): Promise<void> {
    await this.#bus.call({ ...portalObject, member: "SpawnSignal", signature: "uub", body: [pid, signal, true] });
  }

  /** Nothing more is to be heard of it. */
  forget(pid: number): void {
    this.#listeners.delete(pid);
  }

  /** Has the connection keep the program alive until `let()`. */
  keep(keeper: object): void {
    this.#keepers.add(keeper);
    this.#bus.ref();
  }

  let(keeper: object): void {
    this.#keepers.delete(keeper);
    if (this.#keepers.size === 0) this.#bus.unref();
  }

  close(): void {
    this.#bus.close();
  }

  async #subscribe(): Promise<void> {
    await this.#bus.subscribe({ sender: NAME, path: portalObject.path, interface: NAME }, (signal) => this.#onSignal(signal));
    const owner = { sender: "org.freedesktop.DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged", arg0: NAME };
    await this.#bus.subscribe(owner, ({ body }) => {
      // the service that started them is gone, be there a new one or not
      if (body[1] !== "") this.#tellAll((listener) => listener.onPortalVanished());
    });
    void this.#bus.closed.then((reason) => {
      this.#tellAll((listener) => listener.onDisconnected(reason?.message ?? "the connection was closed"));
    });
  }

  #onSignal({ member, signature, body }: BusSignal): void {
    const [pid, value] = body;
    if (signature !== "uu" || typeof pid !== "number" || typeof value !== "number") return;
    if (member === "SpawnStarted") this.#tell(pid, (listener) => listener.onSpawnStarted(value));
    if (member === "SpawnExited") this.#tell(pid, (listener) => listener.onSpawnExited(value));
  }

  #tell(pid: number, tell: (listener: SpawnListener) => void): void {
    const listener = this.#listeners.get(pid);
    if (listener !== undefined) tell(listener);
    else if (this.#open > 0 && this.#early.length < MOST_EARLY_EVENTS) this.#early.push({ pid, tell });
  }

  #tellAll(tell: (listener: SpawnListener) => void): void {
    for (const listener of [...this.#listeners.values()]) tell(listener);
  }
}

async function connected(where: string): Promise<Bus> {
  try {
    return await connectToBus(where);
  } catch (cause) {
    if (!(cause instanceof GLibError) || cause.domain === ErrorDomain.SANDBOX) throw cause;
    throw sandboxError("NOT_AVAILABLE", `No sandbox is available. Flatpak's portal: ${cause.message}`, { cause });
  }
}

async function askFacts(bus: Bus): Promise<PortalFacts> {
  const [properties] = await bus.call({
    ...portalObject,
    interface: "org.freedesktop.DBus.Properties",
    member: "GetAll",
    signature: "s",
    body: [NAME],
  });
  const version = numberIn(properties, "version");
  if (version === null) throw portalUnavailable("", "it has none");
  // came with version 3
  return { version, supportsExposedPids: version >= 3 && ((numberIn(properties, "supports") ?? 0) & 1) !== 0 };
}

function numberIn(properties: unknown, name: string): number | null {
  const variant = (properties as Readonly<Record<string, { readonly value?: unknown } | undefined>> | null)?.[name];
  return typeof variant?.value === "number" ? variant.value : null;
}

function bodyOf(message: SpawnMessage): { readonly signature: string; readonly body: readonly unknown[] } {
  const { exposed, exposedReadOnly, sandboxFlags } = message;
  const options: Record<string, { readonly signature: string; readonly value: unknown }> = {};
  if (exposed.length > 0) options["sandbox-expose-fd"] = { signature: "ah", value: exposed };
  if (exposedReadOnly.length > 0) options["sandbox-expose-fd-ro"] = { signature: "ah", value: exposedReadOnly };
  if (sandboxFlags !== 0) options["sandbox-flags"] = { signature: "u", value: sandboxFlags };
  return {
    signature: "ayaaya{uh}a{ss}ua{sv}",
    body: [
      terminated(message.directory),
      message.argv.map(terminated),
      message.descriptors,
      message.environment,
      message.flags,
      options,
    ],
  };
}

/** The portal wants the NUL of a string of bytes. */
function terminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
