import type { Errno } from "../subprocess/errno.js";
import { errnoNumber, errnoOfNumber } from "../subprocess/errno.js";

/** What becomes of a system call: the value that a filter returns (SECCOMP_RET_*, linux/seccomp.h). */
export type Action = number;

export const ALLOW: Action = 0x7fff0000;
export const KILL_PROCESS: Action = 0x80000000;

/** The call is not made, and fails with this error. */
export function refuse(errno: Errno): Action {
  return (ERRNO | errnoNumber(errno)) >>> 0;
}

/** “allow”, “EPERM”, “kill process”: an action in words. */
export function actionText(action: Action): string {
  if ((action & ~DATA) >>> 0 === ERRNO) return errnoOfNumber(action & DATA);
  const name = names[(action & ~DATA) >>> 0] ?? "kill thread";
  return (action & DATA) === 0 ? name : `${name} (${action & DATA})`;
}

const ERRNO = 0x00050000;
const DATA = 0xffff;

const names: Readonly<Record<number, string>> = {
  [KILL_PROCESS]: "kill process",
  0x00000000: "kill thread",
  0x00030000: "SIGSYS",
  0x7fc00000: "ask the supervisor",
  0x7ff00000: "ask the tracer",
  0x7ffc0000: "allow and log",
  [ALLOW]: "allow",
};
