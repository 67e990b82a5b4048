import GLib from "gi://GLib?version=2.0";
import { machine } from "../machine.js";
import { effectiveIds } from "../effective-ids.js";

/* Stands for node:process: what of it is asked for. */

/** The variables as they are now. One cannot be set here. */
export const env: Readonly<Record<string, string | undefined>> = new Proxy(
  {},
  {
    get: (_target, name) => (typeof name === "string" ? (GLib.getenv(name) ?? undefined) : undefined),
    has: (_target, name) => typeof name === "string" && GLib.getenv(name) !== null,
    ownKeys: () => [...new Set(GLib.listenv())],
    getOwnPropertyDescriptor: (_target, name) => {
      const value = typeof name === "string" ? GLib.getenv(name) : null;
      return value === null ? undefined : { value, enumerable: true, configurable: true };
    },
  },
);

const ids = effectiveIds();

export const pid = ids.pid;

export function geteuid(): number {
  return ids.uid;
}

export function getegid(): number {
  return ids.gid;
}

/** In Node's words. */
export const arch = machine() === "aarch64" ? "arm64" : "x64";

/** Sends a signal. GLib has nothing for that but for children, and the shell of the system has it built in. */
export function kill(process: number, signal: string): void {
  const words = ["/bin/sh", "-c", 'kill -s "$1" "$2"', "sh", signal.replace(/^SIG/, ""), String(process)];
  const [, , , status] = GLib.spawn_sync("/", words, [], GLib.SpawnFlags.STDERR_TO_DEV_NULL, null);
  if (status !== 0) throw Object.assign(new Error("kill ESRCH"), { code: "ESRCH" });
}
