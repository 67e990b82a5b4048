import { sandboxError } from "../subprocess/glib-error.js";
import { ALLOW, KILL_PROCESS, refuse } from "./action.js";
import type { Architecture } from "./architecture.js";
import { architectures, SKIPPED_CALL } from "./architecture.js";
import { ArgumentTester } from "./argument-test.js";
import type { Decision } from "./decision-graph.js";
import { architectureWord, DecisionGraph, numberWord } from "./decision-graph.js";
import type { FilterProgram } from "./filter-program.js";
import { encodeProgram, instructionsFor, MAX_INSTRUCTIONS, worstSteps } from "./program.js";
import type { Rule, RuleList } from "./rules.js";
import { multiplexed, systemCalls } from "./system-calls.js";

/**
 * The filter that does to system calls what the rules say, for processes of these architectures. All others are killed.
 *
 * @param order the most frequent architecture first
 * @throws GLibError `gio-sandbox-error-quark` LIMIT_EXCEEDED if it would be too long for the kernel
 */
export function compileRules(list: RuleList, order: readonly Architecture[]): FilterProgram {
  const graph = new DecisionGraph();
  const decision = [...order].reverse().reduce((otherwise, architecture) => {
    const { audit } = architectures[architecture];
    return graph.ask(architectureWord, "equal", audit, new Chooser(graph, architecture, list).decide(), otherwise);
  }, graph.answer(KILL_PROCESS));

  const program = instructionsFor(decision);
  if (program.length > MAX_INSTRUCTIONS) {
    const most = `a filter has at most ${MAX_INSTRUCTIONS}`;
    throw sandboxError("LIMIT_EXCEEDED", `The system call rules make ${program.length} instructions, and ${most}.`);
  }
  return { bytes: encodeProgram(program), instructions: program.length, worstSteps: worstSteps(program) };
}

/** Numbers from here to the next range. */
interface Range {
  readonly first: number;
  readonly decision: Decision;
}

/** Chooses by the number of a call, for one architecture. */
class Chooser {
  readonly #graph: DecisionGraph;
  readonly #architecture: Architecture;
  readonly #list: RuleList;
  readonly #tester: ArgumentTester;

  constructor(graph: DecisionGraph, architecture: Architecture, list: RuleList) {
    this.#graph = graph;
    this.#architecture = architecture;
    this.#list = list;
    this.#tester = new ArgumentTester(graph, architectures[architecture].isWide);
  }

  decide(): Decision {
    return this.#tree(this.#ranges());
  }

  /** A balanced tree: as many questions as the number of ranges has binary digits. */
  #tree(ranges: readonly Range[]): Decision {
    const middle = ranges[ranges.length >> 1];
    if (middle === undefined) throw new RangeError("There is always a range");
    if (ranges.length === 1) return middle.decision;
    const below = this.#tree(ranges.slice(0, ranges.length >> 1));
    const above = this.#tree(ranges.slice(ranges.length >> 1));
    return this.#graph.ask(numberWord, "greater-or-equal", middle.first, above, below);
  }

  /** All 2³² numbers. */
  #ranges(): Range[] {
    const { secondTable } = architectures[this.#architecture];
    const otherwise = this.#graph.answer(this.#list.otherwise);
    const ranges: Range[] = [{ first: 0, decision: otherwise }];
    const add = (first: number, decision: Decision): void => {
      const last = ranges[ranges.length - 1];
      // what ends where it began is no range
      if (last?.first === first) ranges.pop();
      if (ranges[ranges.length - 1]?.decision !== decision) ranges.push({ first, decision });
    };
    for (const [number, decision] of this.#decisions()) {
      add(number, decision);
      add(number + 1, otherwise);
    }
    if (secondTable !== null) add(secondTable, this.#graph.answer(refuse("ENOSYS")));
    add(SKIPPED_CALL, this.#graph.answer(ALLOW));
    return ranges;
  }

  /** What the rules decide, in the order of the numbers. */
  #decisions(): (readonly [number: number, decision: Decision])[] {
    const decisions = [...this.#rulesByNumber()].map(([number, rules]) => [number, this.#decision(rules)] as const);
    return decisions.sort(([a], [b]) => a - b);
  }

  #decision(rules: readonly Rule[]): Decision {
    return rules.reduceRight(
      (otherwise, rule) => this.#ifAll(rule, otherwise),
      this.#graph.answer(this.#list.otherwise),
    );
  }

  #ifAll({ tests, action }: Rule, otherwise: Decision): Decision {
    return tests.reduceRight((yes, test) => this.#tester.decide(test, yes, otherwise), this.#graph.answer(action));
  }

  #rulesByNumber(): ReadonlyMap<number, readonly Rule[]> {
    const numbers = systemCalls(this.#architecture);
    const byNumber = new Map<number, Rule[]>();
    for (const rule of this.#rules()) {
      const number = numbers.get(rule.name);
      if (number === undefined) continue;
      const rules = byNumber.get(number);
      if (rules === undefined) byNumber.set(number, [rule]);
      else rules.push(rule);
    }
    return byNumber;
  }

  #rules(): readonly Rule[] {
    const { rules } = this.#list;
    if (this.#architecture !== "i386") return rules;
    const { refusing, allowing } = multiplexedRules(rules);
    return [...refusing, ...rules, ...allowing];
  }
}

interface MultiplexedRules {
  /** To go before the rules that say what becomes of the multiplexing call. */
  readonly refusing: readonly Rule[];
  /** To go behind them. */
  readonly allowing: readonly Rule[];
}

/**
 * The rules for calls that are made through socketcall() or ipc(). Where a rule has tests, they cannot be done; so what it
 * refuses is refused whatever its arguments are, and what it allows is not allowed by it.
 */
function multiplexedRules(rules: readonly Rule[]): MultiplexedRules {
  const all = rules.flatMap((rule) => {
    if (rule.action === ALLOW && rule.tests.length > 0) return [];
    return Object.entries(multiplexed).flatMap(([name, { mask, calls }]): Rule[] => {
      const call = calls.get(rule.name);
      if (call === undefined) return [];
      return [{ name, tests: [{ argument: 0, comparison: "masked-equal", mask, value: call }], action: rule.action }];
    });
  });
  return {
    refusing: all.filter(({ action }) => action !== ALLOW),
    allowing: all.filter(({ action }) => action === ALLOW),
  };
}
