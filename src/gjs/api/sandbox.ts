import GLib from "gi://GLib?version=2.0";
import GObject from "gi://GObject?version=2.0";
import { Sandbox as Inside } from "../../node/sandbox.js";
import { applicationError } from "./glib-error.js";
import type { SandboxPermissions } from "./sandbox-permissions.js";
import { facePermissions } from "./sandbox-permissions.js";
import { shared } from "./shared.js";

const insides = new WeakMap<GObject.Object, Inside>();

function insideOf(face: GObject.Object): Inside {
  const inside = insides.get(face);
  if (inside === undefined) throw new TypeError("A launcher opens sandboxes: see open_sandbox_async().");
  return inside;
}

/**
 * A sandbox that is open: processes are put into it one after another or at once, by a launcher whose `sandbox` it is.
 *
 * They share what a sandbox isolates: its private directories, its process ids, its network. A process is started in it
 * in a fraction of the time that a sandbox takes to be made. One that ends does not end the sandbox; what it left running
 * belongs to the sandbox then. The sandbox ends at `close()`, and with the program that opened it.
 *
 * Signal `exited` (GLib.Error or null): it has ended, and nothing of it is left: the error says why, null if it was closed
 * or was for one process only.
 *
 * Signal `out-of-memory`: the processes in it took more memory than its limit `memory`, and were killed, each and every one.
 * An open sandbox goes on after that, unless the kernel killed its init too.
 */
class OpenSandbox extends GObject.Object {
  /** What its processes may do. */
  get permissions(): SandboxPermissions {
    return facePermissions(insideOf(this).permissions);
  }

  /** Whether it has ended, or been closed. */
  get is_closed(): boolean {
    return insideOf(this).isClosed;
  }

  /** Kills everything in it. Processes that run in it are lost: to wait for one of them is a CLOSED error. */
  close(): void {
    insideOf(this).close();
  }
}

export type Sandbox = OpenSandbox;

export const Sandbox = shared("Sandbox", (): typeof OpenSandbox => {
  const signals = { exited: { param_types: [GLib.Error.$gtype] }, "out-of-memory": {} };
  GObject.registerClass({ GTypeName: "GioSandboxSandbox", Signals: signals }, OpenSandbox);
  return OpenSandbox;
});

/** @internal the face of a sandbox that was opened */
export function faceSandbox(inside: Inside): Sandbox {
  const face = new Sandbox();
  insides.set(face, inside);
  // from the loop, and not from within what tells us: who hears of it may want to wait for something
  inside.on("exited", (error) => {
    setTimeout(() => face.emit("exited", error === null ? null : (applicationError(error) as GLib.Error)), 0);
  });
  inside.on("outOfMemory", () => {
    setTimeout(() => face.emit("out-of-memory"), 0);
  });
  return face;
}

/** @internal what stands behind a sandbox @throws TypeError for what is none */
export function sandboxOf(face: unknown): Inside {
  if (face instanceof GObject.Object && insides.has(face)) return insideOf(face);
  throw new TypeError(`Expected a Sandbox that was opened, but got ${typeof face}.`);
}
