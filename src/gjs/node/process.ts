import GLib from "gi://GLib?version=2.0";
import { errnoNumber } from "../../subprocess/errno.js";
import { effectiveIds } from "../effective-ids.js";
import { machine } from "../machine.js";
import { checkedCall } from "../service-call.js";
import { signalNumber } from "../signal-name.js";
import { Operation } from "../system-call-protocol.js";

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

/**
 * Sends a signal to one process. GLib has nothing for that but for children.
 *
 * @throws Error with a `code`, as Node's; GLibError NOT_AVAILABLE if gio-sandbox-calls cannot be started
 */
export function kill(process: number, signal: string): void {
  const number = signalNumber(signal);
  if (number === null) throw Object.assign(new TypeError(`Unknown signal: ${signal}`), { code: "ERR_UNKNOWN_SIGNAL" });
  checkedCall({ operation: Operation.KILL, a: process, b: number }, (code) =>
    Object.assign(new Error(`kill ${code}`), { code, errno: -errnoNumber(code), syscall: "kill" }),
  );
}
