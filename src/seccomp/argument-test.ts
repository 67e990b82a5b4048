import type { Decision, DecisionGraph, Relation } from "./decision-graph.js";
import { highOffset, lowOffset, WHOLE } from "./decision-graph.js";
import type { ArgumentTest } from "./rules.js";

/** Makes the decision that is `yes` where a test holds, and `no` elsewhere. */
export class ArgumentTester {
  readonly #graph: DecisionGraph;
  readonly #isWide: boolean;

  /** @param isWide whether arguments have a high word */
  constructor(graph: DecisionGraph, isWide: boolean) {
    this.#graph = graph;
    this.#isWide = isWide;
  }

  decide(test: ArgumentTest, yes: Decision, no: Decision): Decision {
    const { argument, value } = test;
    checkWord(value, "value");
    switch (test.comparison) {
      case "equal":
        return this.#masked(argument, ALL_BITS, value, yes, no);
      case "not-equal":
        return this.#masked(argument, ALL_BITS, value, no, yes);
      case "masked-equal":
        checkWord(test.mask, "mask");
        return this.#masked(argument, test.mask, value, yes, no);
      case "greater":
      case "greater-or-equal":
        return this.#ordered(argument, test.comparison, value, yes, no);
      case "less":
        return this.#ordered(argument, "greater-or-equal", value, no, yes);
      case "less-or-equal":
        return this.#ordered(argument, "greater", value, no, yes);
    }
  }

  #masked(argument: number, mask: bigint, value: bigint, yes: Decision, no: Decision): Decision {
    const low = this.#maskedWord(lowOffset(argument), lowWord(mask), lowWord(value), yes, no);
    return this.#maskedWord(highOffset(argument), highWord(mask), highWord(value), low, no);
  }

  #maskedWord(offset: number, mask: number, value: number, yes: Decision, no: Decision): Decision {
    if ((value & ~mask) !== 0) return no;
    if (mask === 0) return yes;
    const isOneBit = (mask & (mask - 1)) === 0;
    if (mask !== WHOLE && value === 0) return this.#ask(offset, WHOLE, "any-bit", mask, no, yes);
    if (isOneBit) return this.#ask(offset, WHOLE, "any-bit", mask, yes, no);
    return this.#ask(offset, mask, "equal", value, yes, no);
  }

  #ordered(
    argument: number,
    relation: "greater" | "greater-or-equal",
    value: bigint,
    yes: Decision,
    no: Decision,
  ): Decision {
    const [low, high] = [lowWord(value), highWord(value)];
    const ifEqual = this.#ask(lowOffset(argument), WHOLE, relation, low, yes, no);
    const ifNotGreater = this.#ask(highOffset(argument), WHOLE, "equal", high, ifEqual, no);
    return this.#ask(highOffset(argument), WHOLE, "greater", high, yes, ifNotGreater);
  }

  #ask(offset: number, mask: number, relation: Relation, value: number, yes: Decision, no: Decision): Decision {
    const isHigh = offset % 8 === 4;
    if (isHigh && !this.#isWide) return relation === "equal" && value === 0 ? yes : no;
    return this.#graph.ask({ offset, mask }, relation, value, yes, no);
  }
}

const ALL_BITS = 0xffffffffffffffffn;

function lowWord(value: bigint): number {
  return Number(value & 0xffffffffn);
}

function highWord(value: bigint): number {
  return Number(value >> 32n);
}

function checkWord(value: bigint, what: string): void {
  if (value < 0n || value > ALL_BITS) throw new RangeError(`A test's ${what} must have 64 bits, unsigned: ${value}`);
}
