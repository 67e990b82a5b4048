import type { BusMessage } from "./dbus-next-parts.js";

/** Which signals a subscription wants; what is absent is not looked at. */
export interface MatchRule {
  /** A unique name, or a well-known one: its owner's signals then, whoever that is at the time. */
  readonly sender?: string;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  /** The first value of the body, a string. */
  readonly arg0?: string;
}

/** The rule as AddMatch takes it ("Match Rules" in the D-Bus specification). */
export function matchRuleText(rule: MatchRule): string {
  const { sender, path, member, arg0 } = rule;
  return Object.entries({ type: "signal", sender, path, interface: rule.interface, member, arg0 })
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([key, value]) => `${key}=${quoted(value)}`)
    .join(",");
}

/** An apostrophe ends the quotes, stands escaped outside them, and opens them again. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

/** Whether a signal is one that the rule wants. `sender` is the unique name that the rule's sender stands for. */
export function isMatch(rule: MatchRule, sender: string | null, signal: BusMessage): boolean {
  return (
    (rule.sender === undefined || signal.sender === sender) &&
    (rule.path === undefined || signal.path === rule.path) &&
    (rule.interface === undefined || signal.interface === rule.interface) &&
    (rule.member === undefined || signal.member === rule.member) &&
    (rule.arg0 === undefined || signal.body[0] === rule.arg0)
  );
}
