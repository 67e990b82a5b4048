import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LauncherProperties } from "../../../src/node/index.js";
import { childrenOf } from "../../../src/node/host-processes.js";
import { DescriptorScope } from "../../../src/node/descriptor-scope.js";
import { SandboxPermissions, SandboxSubprocessLauncher } from "../../../src/node/index.js";

/** The path of a program of test/fixtures, as built. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../build/fixtures/${name}`, import.meta.url));
}

export const testprog = fixture("testprog");

/** Permissions to run the fixture programs, and nothing else. */
export function fixturePermissions(): SandboxPermissions {
  return new SandboxPermissions().addFilesystem(`${fileURLToPath(new URL("../../../build/fixtures", import.meta.url))}:ro`);
}

/** A launcher whose children can be fixture programs. */
export function fixtureLauncher(flags = 0, properties: LauncherProperties = {}): SandboxSubprocessLauncher {
  return new SandboxSubprocessLauncher({ permissions: fixturePermissions(), ...properties, flags });
}

/** A new directory, which goes with the test. */
export function temporaryDirectory(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "gio-sandbox-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Both ends of a pipe, with koffi and without: to read from and to write to, the caller's to close. */
export function newPipe(): Promise<readonly [number, number]> {
  return new DescriptorScope().childPipe();
}

/** The descriptors of this process that are open. */
export function openDescriptors(): string[] {
  return readdirSync("/proc/self/fd");
}

/** The processes that this process has started and that are there still, zombies too. */
export function childProcesses(): string[] {
  return readdirSync("/proc/self/task")
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "latin1").split(" "))
    .filter((pid) => pid !== "" && !readFileSync(`/proc/${pid}/comm`, "latin1").startsWith("esbuild"));
}

/** The pids of the first processes of sandboxes below this process: of templates too, and of what was made after their example. */
export function firstProcesses(): number[] {
  const below = (pid: string): string[] => [pid, ...childrenOf(Number(pid)).flatMap(below)];
  return childProcesses().flatMap(below).filter(isFirst).map(Number);
}

function isFirst(pid: string): boolean {
  try {
    return /^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** Waits until a condition holds; a test's own time limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
