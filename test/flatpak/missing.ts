import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { env, getuid } from "node:process";
import { unprivileged } from "./session.js";

/** What this machine lacks for running an application in a real Flatpak, or null if nothing. */
export function missingForFlatpak(): string | null {
  const programs = [
    ...["flatpak", "ostree", "gjs", "dbus-daemon", "ldd"],
    ...["unshare", "nsenter", "setpriv", "flock"],
  ];
  const program = programs.find((name) => !isOnPath(name));
  if (program !== undefined) return `${program} is not installed`;
  if (!existsSync("/usr/libexec/flatpak-portal")) return "/usr/libexec/flatpak-portal is not installed";
  return missingNamespaces();
}

/**
 * A `before` hook: skips the tests where Flatpak cannot run, with the reason on stderr. With CI=true they fail.
 */
export function requireFlatpak(this: Mocha.Context): void {
  const missing = missingForFlatpak();
  if (missing === null) return;
  if (env["CI"] === "true") throw new Error(`The tests in a real Flatpak cannot run: ${missing}`);
  console.warn(`      skipped: ${missing}`);
  this.skip();
}

function isOnPath(name: string): boolean {
  return [...(env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"].some((directory) => {
    try {
      accessSync(`${directory}/${name}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Flatpak's bubblewrap makes user namespaces, as the user that the tests run it as. */
function missingNamespaces(): string | null {
  const probe = ["unshare", "--user", "--map-current-user", "--mount", "true"];
  const { uid, gid } = unprivileged();
  const [command = "", ...args] =
    getuid?.() === 0 ? ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--", ...probe] : probe;
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? null : `an ordinary user can make no user namespace: ${stderr.trim()}`;
}
