import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";

/** Whether init may be asked to make root directories: see `furnishing()`. Else bwrap makes them, which takes longer. */
export function mayFurnish(): boolean {
  isPossible ??= isKernelNewEnough(release()) && !isForbidden();
  return isPossible;
}

/** It did not work: not again in this program. */
export function ruleOutFurnishing(): void {
  isPossible = false;
}

let isPossible: boolean | null = null;

/** mount_setattr(2) is the newest call that it takes. */
function isKernelNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(/[.-]/).map(Number);
  return major > 5 || (major === 5 && minor >= 12);
}

/** Where this is set, AppArmor gives bwrap the rights in a user namespace that its children do not have (Ubuntu, apparmor.d/bwrap). */
function isForbidden(): boolean {
  const setting = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
  try {
    return existsSync(setting) && readFileSync(setting, "latin1").trim() === "1";
  } catch {
    return false;
  }
}
