import type { SyscallPolicy } from "../permissions/permission-set.js";
import type { Action } from "../seccomp/action.js";
import { actionText, ALLOW, KILL_PROCESS } from "../seccomp/action.js";
import type { Architecture } from "../seccomp/architecture.js";
import { architectures } from "../seccomp/architecture.js";
import { compileSyscallPolicy } from "../seccomp/compile-policy.js";
import { interpreter } from "../seccomp/interpret.js";
import { systemCalls } from "../seccomp/system-calls.js";
import type { FilterVerdicts } from "./guarantees.js";

/** What the filters of a policy say, found by running the very programs that the kernel gets. */
export function filterVerdicts(policy: SyscallPolicy, architecture: Architecture): FilterVerdicts {
  const { sandbox, child } = compileSyscallPolicy(policy, architecture);
  // the newest first, as the kernel asks them
  const programs = (child === null ? [sandbox] : [child, sandbox]).map(({ bytes }) => interpreter(bytes));
  const verdict = (number: number, audit: number, args: readonly (number | bigint)[]): string | null => {
    const call = { number, audit, arguments: args.map((value) => BigInt.asUintN(64, BigInt(value))) };
    return verdictText(programs.map((run) => run(call).action).reduce(stricter));
  };
  const ofCall = (of: Architecture, call: string, args: readonly (number | bigint)[]): string | null => {
    const number = systemCalls(of).get(call);
    return number === undefined ? null : verdict(number, architectures[of].audit, args);
  };
  const { audit, sibling } = architectures[architecture];
  return {
    architecture,
    has: (call) => systemCalls(architecture).has(call),
    of: (call, ...args) => ofCall(architecture, call, args),
    ofSibling: (call, ...args) => ofCall(sibling ?? architecture, call, args),
    ofNumber: (number, ...args) => verdict(number >>> 0, audit, args),
  };
}

/** Of two filters' answers the kernel takes the stricter one, and the newer of two that are alike: seccomp(2). */
function stricter(newer: Action, older: Action): Action {
  return rank(older) < rank(newer) ? older : newer;
}

/** The actions in the order of their strictness are their values as signed numbers. */
function rank(action: Action): number {
  return (action & 0xffff0000) | 0;
}

function verdictText(action: Action): string | null {
  if (action === ALLOW) return null;
  return action === KILL_PROCESS ? "SIGSYS" : actionText(action);
}
