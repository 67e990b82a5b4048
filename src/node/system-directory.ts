import { lstatSync, readlinkSync } from "node:fs";
import type { SystemDirectory } from "../plan/host-facts.js";

/** What a sandbox has at this path of the root directory: nothing, if the host has nothing there. */
export function systemDirectory(path: string): SystemDirectory[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  return [{ path, linkTarget: stats.isSymbolicLink() ? readlinkSync(path) : null }];
}
