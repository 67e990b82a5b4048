import type { SandboxDirectories } from "../subprocess/environment.js";

/**
 * The directories of a child in a sandbox of the portal's, which are those of every Flatpak: the home directory has the
 * name that it has on the host, with nothing in it, and lives in memory.
 *
 * @param home the application's own HOME
 */
export function flatpakDirectories(uid: number, home: string | null): SandboxDirectories {
  return {
    home: home?.startsWith("/") === true ? home : "/",
    runtime: `/run/user/${uid}`,
    programs: "/app/bin:/usr/bin",
    configuration: "/app/etc/xdg:/etc/xdg",
    data: "/app/share:/usr/share:/usr/share/runtime/share",
  };
}
