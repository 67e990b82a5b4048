import { lstatSync, readlinkSync } from "node:fs";
import { getegid, geteuid } from "node:process";
import type { HostFacts, SystemDirectory } from "../plan/host-facts.js";
import { systemDirectoryPaths } from "../plan/host-facts.js";

/** The facts of the host, read once. */
export function hostFacts(): HostFacts {
  facts ??= readFacts();
  return facts;
}

let facts: HostFacts | null = null;

function readFacts(): HostFacts {
  const required = <T>(call: (() => T) | undefined): T => {
    if (call === undefined) throw new Error("gio-sandbox runs on Linux only");
    return call();
  };
  return {
    uid: required(geteuid),
    gid: required(getegid),
    systemDirectories: systemDirectoryPaths.flatMap(systemDirectory),
  };
}

function systemDirectory(path: string): SystemDirectory[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  return [{ path, linkTarget: stats.isSymbolicLink() ? readlinkSync(path) : null }];
}
