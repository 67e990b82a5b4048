import type { Action } from "./action.js";

/** A test of one argument, unsigned and with all of its 64 bits, of which `masked-equal` looks at some. */
export type ArgumentTest =
  | {
      readonly argument: ArgumentIndex;
      readonly comparison: "equal" | "not-equal" | "less" | "less-or-equal" | "greater" | "greater-or-equal";
      readonly value: bigint;
    }
  | {
      readonly argument: ArgumentIndex;
      readonly comparison: "masked-equal";
      readonly mask: bigint;
      readonly value: bigint;
    };

export type ArgumentIndex = 0 | 1 | 2 | 3 | 4 | 5;

/** What becomes of one system call if all tests hold. */
export interface Rule {
  /** The kernel's name; an architecture that has no such call is left alone. */
  readonly name: string;
  readonly tests: readonly ArgumentTest[];
  readonly action: Action;
}

/** Of the rules for one name the first whose tests hold decides. */
export interface RuleList {
  readonly rules: readonly Rule[];
  /** For every call that no rule decides on, those without a name included. */
  readonly otherwise: Action;
}
