import type { KeyFileGroup } from "../permissions/key-file.js";
import { listValue, parseKeyFile, stringValue } from "../permissions/key-file.js";

/** What an application holds itself: the words of its metadata as they stand in force in this instance. */
export interface FlatpakContext {
  readonly shared: ReadonlySet<string>;
  readonly sockets: ReadonlySet<string>;
  readonly devices: ReadonlySet<string>;
  /** `/path`, `/path:ro`, `home`, `xdg-download/…` and so on. */
  readonly filesystems: readonly string[];
  /** Names on the session bus, patterns too, with `see`, `talk` or `own`. */
  readonly sessionBus: ReadonlyMap<string, string>;
}

/** `/.flatpak-info`, which Flatpak puts into each instance: flatpak-metadata(5), “Flatpak Info”. */
export interface FlatpakInfo {
  /** `org.example.App`; null for a runtime that was started without an application. */
  readonly appId: string | null;
  readonly instanceId: string;
  /** Where the application's own files are on the host: `~/.var/app/ID`. */
  readonly instancePath: string | null;
  readonly flatpakVersion: string | null;
  readonly architecture: string | null;
  /** It runs in `flatpak build` or `flatpak-builder --run`, where there is nothing installed to start again. */
  readonly isBuild: boolean;
  readonly context: FlatpakContext;
}

/** @returns null for text that is not of Flatpak's making */
export function parseFlatpakInfo(text: string): FlatpakInfo | null {
  try {
    return infoOf(new Groups(parseKeyFile(text)));
  } catch {
    return null;
  }
}

function infoOf(groups: Groups): FlatpakInfo | null {
  if (!groups.has("Application") && !groups.has("Runtime")) return null;
  const isBuild = groups.string("Instance", "build") === "true";
  const instanceId = groups.string("Instance", "instance-id");
  if (instanceId === null && !isBuild) return null;
  const appId = groups.string("Application", "name");
  return {
    appId: appId === "" ? null : appId,
    instanceId: instanceId ?? "",
    instancePath: groups.string("Instance", "instance-path"),
    flatpakVersion: groups.string("Instance", "flatpak-version"),
    architecture: groups.string("Instance", "arch"),
    isBuild,
    context: {
      shared: new Set(groups.list("Context", "shared")),
      sockets: new Set(groups.list("Context", "sockets")),
      devices: new Set(groups.list("Context", "devices")),
      filesystems: groups.list("Context", "filesystems"),
      sessionBus: groups.all("Session Bus Policy"),
    },
  };
}

class Groups {
  readonly #groups: ReadonlyMap<string, ReadonlyMap<string, string>>;

  constructor(groups: readonly KeyFileGroup[]) {
    this.#groups = new Map(
      groups.map(({ name, entries }) => [name, new Map(entries.map(({ key, value }) => [key, value]))]),
    );
  }

  has(group: string): boolean {
    return this.#groups.has(group);
  }

  string(group: string, key: string): string | null {
    const value = this.#groups.get(group)?.get(key);
    return value === undefined ? null : stringValue(value);
  }

  list(group: string, key: string): readonly string[] {
    return listValue(this.#groups.get(group)?.get(key) ?? "");
  }

  all(group: string): ReadonlyMap<string, string> {
    return this.#groups.get(group) ?? new Map<string, string>();
  }
}
