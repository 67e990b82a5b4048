import { arch, getegid, geteuid } from "node:process";
import type { HostFacts } from "../plan/host-facts.js";
import { systemDirectoryPaths } from "../plan/host-facts.js";
import type { Architecture } from "../seccomp/architecture.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { systemDirectory } from "./system-directory.js";

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
    architecture: architecture(),
    systemDirectories: systemDirectoryPaths.flatMap(systemDirectory),
  };
}

const architectures: Partial<Record<NodeJS.Architecture, Architecture>> = {
  x64: "x86_64",
  ia32: "i386",
  arm64: "aarch64",
  arm: "arm",
  riscv64: "riscv64",
};

function architecture(): Architecture {
  const name = architectures[arch];
  if (name !== undefined) return name;
  throw sandboxError("NOT_AVAILABLE", `No sandbox is available: the system calls of ${arch} are not known.`);
}
