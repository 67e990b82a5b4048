import type { KeyFile } from "./key-file.js";
import { keyFileList, keyFileString, parseKeyFile } from "./key-file.js";

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
  const file = parseKeyFile(text);
  if (file === null || !(file.has("Application") || file.has("Runtime"))) return null;
  const instance = (key: string): string | null => keyFileString(file, "Instance", key);
  const isBuild = instance("build") === "true";
  const instanceId = instance("instance-id");
  if (instanceId === null && !isBuild) return null;
  const appId = keyFileString(file, "Application", "name");
  return {
    appId: appId === "" ? null : appId,
    instanceId: instanceId ?? "",
    instancePath: instance("instance-path"),
    flatpakVersion: instance("flatpak-version"),
    architecture: instance("arch"),
    isBuild,
    context: contextOf(file),
  };
}

function contextOf(file: KeyFile): FlatpakContext {
  const set = (key: string): ReadonlySet<string> => new Set(keyFileList(file, "Context", key));
  return {
    shared: set("shared"),
    sockets: set("sockets"),
    devices: set("devices"),
    filesystems: keyFileList(file, "Context", "filesystems"),
    sessionBus: file.get("Session Bus Policy") ?? new Map<string, string>(),
  };
}
