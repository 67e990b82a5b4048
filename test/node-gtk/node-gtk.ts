import { createRequire } from "node:module";
import type { GioCancellable, GLibBytes } from "../../src/node/index.js";

/** What the tests use of node-gtk, which has no types of its own. */
export interface NodeGtk {
  require(namespace: "GLib", version: "2.0"): GLibNamespace;
  require(namespace: "Gio", version: "2.0"): GioNamespace;
  require(namespace: "GObject", version: "2.0"): GObjectNamespace;
}

export interface GLibNamespace {
  readonly MainLoop: { new: (context: null, isRunning: boolean) => MainLoop };
  readonly Bytes: { new: (bytes: Uint8Array | readonly number[]) => GLibBytes & { equal(other: GLibBytes): boolean; getSize(): bigint } };
  readonly SpawnError: Readonly<Record<string, number>>;
  idleAdd(priority: number, callback: () => boolean): void;
  timeoutAdd(priority: number, milliseconds: number, callback: () => boolean): void;
  spawnErrorQuark(): number;
  spawnExitErrorQuark(): number;
  quarkToString(quark: number): string;
}

interface MainLoop {
  /** Returns at once in a promise's turn, and runs the loop later then. */
  run(): void;
  quit(): void;
}

export interface GioNamespace {
  readonly Cancellable: new () => Cancellable;
  readonly SubprocessFlags: Readonly<Record<string, number>>;
  readonly IOErrorEnum: Readonly<Record<string, number>>;
  readonly SubprocessLauncher: { readonly prototype: object };
  readonly Subprocess: { readonly prototype: object };
  ioErrorQuark(): number;
}

export interface Cancellable extends GioCancellable {
  readonly __gtype__: bigint;
  cancel(): void;
  reset(): void;
}

interface GObjectNamespace {
  signalLookup(name: string, type: bigint): number;
  signalHasHandlerPending(instance: object, signal: number, detail: number, mayBeBlocked: boolean): boolean;
}

/** node-gtk as tools/build-node-gtk has built it. */
export function loadNodeGtk(): NodeGtk {
  const require = createRequire(new URL("../../build/node-gtk/package.json", import.meta.url));
  return require("node-gtk") as NodeGtk;
}
