import type { Action } from "./action.js";

/**
 * What a filter does, as a graph: questions about the words of a system call, and answers. Equal parts are one.
 */
export type Decision = Answer | Question;

export interface Answer {
  readonly kind: "answer";
  readonly id: number;
  readonly action: Action;
}

export interface Question {
  readonly kind: "question";
  readonly id: number;
  readonly word: Word;
  readonly relation: Relation;
  readonly value: number;
  readonly yes: Decision;
  readonly no: Decision;
}

/** 32 bits of struct seccomp_data (linux/seccomp.h), of which `mask` keeps some. */
export interface Word {
  /** In bytes. */
  readonly offset: number;
  readonly mask: number;
}

/** `any-bit`: they have a bit in common. */
export type Relation = "equal" | "greater" | "greater-or-equal" | "any-bit";

export const WHOLE = 0xffffffff;

/** The words of struct seccomp_data on a little-endian machine. */
export const numberWord: Word = { offset: 0, mask: WHOLE };
export const architectureWord: Word = { offset: 4, mask: WHOLE };
export const lowOffset = (argument: number): number => 16 + 8 * argument;
export const highOffset = (argument: number): number => 20 + 8 * argument;

/** Makes decisions, each once. */
export class DecisionGraph {
  readonly #known = new Map<string, Decision>();

  answer(action: Action): Decision {
    return this.#once(`${action}`, (id) => ({ kind: "answer", id, action }));
  }

  ask(word: Word, relation: Relation, value: number, yes: Decision, no: Decision): Decision {
    if (yes === no) return yes;
    const key = `${word.offset} ${word.mask} ${relation} ${value} ${yes.id} ${no.id}`;
    return this.#once(key, (id) => ({ kind: "question", id, word, relation, value, yes, no }));
  }

  #once(key: string, make: (id: number) => Decision): Decision {
    let decision = this.#known.get(key);
    if (decision === undefined) this.#known.set(key, (decision = make(this.#known.size)));
    return decision;
  }
}
