import { env, geteuid } from "node:process";
import { flatpakDirectories } from "../plan/flatpak-directories.js";
import { sandboxDirectories } from "../plan/root-filesystem.js";
import type { SandboxDirectories } from "../subprocess/environment.js";
import { ownFlatpak } from "./confinement.js";

/** What children find in the sandboxes that are made here. */
export function childDirectories(): SandboxDirectories {
  const uid = geteuid?.() ?? 0;
  return ownFlatpak() === null ? sandboxDirectories(uid) : flatpakDirectories(uid, env["HOME"] ?? null);
}
