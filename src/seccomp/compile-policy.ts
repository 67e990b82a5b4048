import type { SyscallPolicy } from "../permissions/permission-set.js";
import { ALLOW, refuse } from "./action.js";
import type { Architecture } from "./architecture.js";
import { withSibling } from "./architecture.js";
import { compileRules } from "./compile-rules.js";
import { defaultRules } from "./default-rules.js";
import type { FilterProgram } from "./filter-program.js";
import type { ResolvedPolicy } from "./policy-entries.js";
import { resolvePolicy } from "./policy-entries.js";
import type { Rule, RuleList } from "./rules.js";
import { sandboxFilter } from "./sandbox-filter.js";
import { systemCalls } from "./system-calls.js";

/** The filters of one sandbox. Where several are in force, the strictest counts. */
export interface SyscallFilters {
  /** The architectures that programs can be of; all others are killed. */
  readonly architectures: readonly Architecture[];
  /** The list that holds for everything in a sandbox: the launcher's own first process runs with it. */
  readonly sandbox: FilterProgram;
  /**
   * What the policy adds, for the child alone and installed last: it need not allow more than a child does after that. Null
   * for the default policy.
   */
  readonly child: FilterProgram | null;
  readonly summary: SyscallSummary;
}

/** For reports. Names are those of the first architecture, sorted. */
export interface SyscallSummary {
  /** One sentence for a person. */
  readonly text: string;
  /** What is refused by name, whatever its arguments. */
  readonly refused: readonly string[];
  /** What is refused with some arguments. */
  readonly restricted: readonly string[];
  /** What is allowed at most; null: all that is not refused. */
  readonly allowed: readonly string[] | null;
  /** What the policy allows by name, and is refused in every sandbox nevertheless, if only with some arguments. */
  readonly overruled: readonly string[];
}

/**
 * The filters for a policy on a machine. The default's list is part of every policy: a list of what is allowed narrows it.
 * Calls that the architecture does not have are passed over. The same object comes back for an equal policy.
 *
 * @throws GLibError `gio-sandbox-error-quark` INVALID_PERMISSION for a name or errno that does not exist, which the message
 *   names with what may have been meant, and for a call that no child can do without
 */
export function compileSyscallPolicy(policy: SyscallPolicy, architecture: Architecture): SyscallFilters {
  const key = `${architecture} ${JSON.stringify(policy)}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const filters = compile(policy, architecture);
  const [oldest] = compiled.keys();
  if (compiled.size >= MAX_COMPILED && oldest !== undefined) compiled.delete(oldest);
  compiled.set(key, filters);
  return filters;
}

/** Programs have few policies; one that makes them up as it goes gets no more memory than this. */
const MAX_COMPILED = 64;
const compiled = new Map<string, SyscallFilters>();

function compile(policy: SyscallPolicy, architecture: Architecture): SyscallFilters {
  const architectures = withSibling(architecture);
  if (policy.kind === "default") {
    return { architectures, sandbox: sandboxFilter(architecture), child: null, summary: summaryOf(null, architecture) };
  }
  const resolved = resolvePolicy(policy);
  return {
    architectures,
    sandbox: sandboxFilter(architecture),
    child: compileRules(policyRules(resolved), architectures),
    summary: summaryOf(resolved, architecture),
  };
}

/** The rules of a policy's own. */
export function policyRules({ refused, allowed, errno }: ResolvedPolicy): RuleList {
  const refusing = [...refused].map(([name, own]): Rule => ({ name, tests: [], action: refuse(own) }));
  const allowing = [...(allowed ?? [])].map((name): Rule => ({ name, tests: [], action: ALLOW }));
  return { rules: [...refusing, ...allowing], otherwise: allowed === null ? ALLOW : refuse(errno) };
}

function summaryOf(resolved: ResolvedPolicy | null, architecture: Architecture): SyscallSummary {
  const calls = systemCalls(architecture);
  const present = (names: Iterable<string>): string[] => [...new Set(names)].filter((name) => calls.has(name)).sort();
  const defaults = namesOfDefault();
  const refused = present([...defaults.refused, ...(resolved?.refused.keys() ?? [])]);
  const restricted = present(defaults.restricted).filter((name) => !refused.includes(name));
  const isRefused = new Set(refused);
  const named = resolved?.allowed ?? null;
  const allowed = named === null ? null : present(named).filter((name) => !isRefused.has(name));
  const overruled = present(
    [...(named ?? [])].filter((name) => defaults.refused.has(name) || defaults.restricted.has(name)),
  );
  const text = allowed === null ? blockText(refused, restricted) : allowText(allowed, restricted);
  return { text, refused, restricted, allowed, overruled };
}

function blockText(refused: readonly string[], restricted: readonly string[]): string {
  const some = `${restricted.length} more with some of their arguments`;
  return `${refused.length} system calls are refused, ${some}, and all others allowed`;
}

function allowText(allowed: readonly string[], restricted: readonly string[]): string {
  const some = `${allowed.filter((name) => restricted.includes(name)).length} of them not with all arguments`;
  return `${allowed.length} system calls are allowed, ${some}, and all others refused`;
}

function namesOfDefault(): { readonly refused: ReadonlySet<string>; readonly restricted: ReadonlySet<string> } {
  const { rules } = defaultRules();
  const restricted = new Set(rules.filter(({ tests }) => tests.length > 0).map(({ name }) => name));
  const refused = new Set(rules.map(({ name }) => name).filter((name) => !restricted.has(name)));
  return { refused, restricted };
}
