import type { Decision, Question, Relation, Word } from "./decision-graph.js";
import { WHOLE } from "./decision-graph.js";

/** struct sock_filter (linux/filter.h). */
export interface Instruction {
  readonly code: number;
  /** Instructions to jump over if the question is answered with yes, or with no. */
  readonly yes: number;
  readonly no: number;
  readonly value: number;
}

/** The codes that a filter has use for (linux/bpf_common.h). */
export const Code = {
  LOAD: 0x20,
  AND: 0x54,
  JUMP: 0x05,
  EQUAL: 0x15,
  GREATER: 0x25,
  GREATER_OR_EQUAL: 0x35,
  ANY_BIT: 0x45,
  RETURN: 0x06,
} as const;

export const INSTRUCTION_SIZE = 8;

/** BPF_MAXINSNS: the kernel takes no more. */
export const MAX_INSTRUCTIONS = 4096;

/** The instructions that come to a decision. They are more than `MAX_INSTRUCTIONS` if there is that much to decide. */
export function instructionsFor(decision: Decision): Instruction[] {
  const writer = new ProgramWriter();
  writer.write(decision);
  return writer.instructions();
}

/** The instructions on the longest way through a program. */
export function worstSteps(program: readonly Instruction[]): number {
  const steps = new Uint32Array(program.length + 1);
  for (let index = program.length - 1; index >= 0; index--) {
    const { code = Code.RETURN, yes = 0, no = 0, value = 0 } = program[index] ?? {};
    const after = (distance: number): number => steps[index + 1 + distance] ?? 0;
    steps[index] = 1 + stepsAfter(code, after, { yes, no, value });
  }
  return steps[0] ?? 0;
}

function stepsAfter(
  code: number,
  after: (distance: number) => number,
  { yes, no, value }: Omit<Instruction, "code">,
): number {
  switch (code) {
    case Code.RETURN:
      return 0;
    case Code.JUMP:
      return after(value);
    case Code.LOAD:
    case Code.AND:
      return after(0);
    default:
      return Math.max(after(yes), after(no));
  }
}

/** The bytes of a program, as a little-endian kernel takes them. */
export function encodeProgram(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSTRUCTION_SIZE);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, yes, no, value }, index) => {
    const offset = index * INSTRUCTION_SIZE;
    view.setUint16(offset, code, true);
    view.setUint8(offset + 2, yes);
    view.setUint8(offset + 3, no);
    view.setUint32(offset + 4, value, true);
  });
  return bytes;
}

/**
 * @throws RangeError for bytes that are not whole instructions
 */
export function decodeProgram(bytes: Uint8Array): Instruction[] {
  if (bytes.length % INSTRUCTION_SIZE !== 0) throw new RangeError(`${bytes.length} bytes are not whole instructions`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_SIZE }, (_, index) => ({
    code: view.getUint16(index * INSTRUCTION_SIZE, true),
    yes: view.getUint8(index * INSTRUCTION_SIZE + 2),
    no: view.getUint8(index * INSTRUCTION_SIZE + 3),
    value: view.getUint32(index * INSTRUCTION_SIZE + 4, true),
  }));
}

const codeOf: Readonly<Record<Relation, number>> = {
  equal: Code.EQUAL,
  greater: Code.GREATER,
  "greater-or-equal": Code.GREATER_OR_EQUAL,
  "any-bit": Code.ANY_BIT,
};

/** A conditional jump has 8 bits for its distance. */
const MAX_DISTANCE = 255;

/**
 * Writes a program from its end, since jumps lead only forwards: what they lead to is there before them. Places are
 * counted from the end.
 */
class ProgramWriter {
  readonly #reversed: Instruction[] = [];
  /** Where an answer is, the nearest one; where a question is asked of a word that is in the accumulator. */
  readonly #places = new Map<number, number>();
  /** Where a question is, with what brings its word into the accumulator before it. */
  readonly #placesWithLoad = new Map<number, number>();

  instructions(): Instruction[] {
    return [...this.#reversed].reverse();
  }

  write(decision: Decision): void {
    this.#place(decision, null);
  }

  /** Where the decision is made by who comes there with `loaded` in the accumulator. */
  #place(decision: Decision, loaded: Word | null): number {
    if (decision.kind === "answer") return this.#placeOfAnswer(decision.id, decision.action);
    if (loaded !== null && isSame(loaded, decision.word)) {
      return this.#places.get(decision.id) ?? this.#writeQuestion(decision);
    }
    return this.#placesWithLoad.get(decision.id) ?? this.#writeWithLoad(decision);
  }

  #placeOfAnswer(id: number, action: number): number {
    const place = this.#places.get(id);
    // a second copy is no longer than a jump to the first one
    return place !== undefined && this.#distance(place) < MAX_DISTANCE ? place : this.#writeAnswer(id, action);
  }

  #writeAnswer(id: number, action: number): number {
    return this.#remember(this.#places, id, this.#push({ code: Code.RETURN, yes: 0, no: 0, value: action }));
  }

  #writeQuestion(question: Question): number {
    const { id, word, relation, value } = question;
    let no = this.#place(question.no, word);
    let yes = this.#place(question.yes, word);
    // each of the two may put one instruction between the other and here
    if (this.#distance(no) >= MAX_DISTANCE) no = this.#writeDetour(question.no, no);
    if (this.#distance(yes) > MAX_DISTANCE) yes = this.#writeDetour(question.yes, yes);
    const place = this.#push({ code: codeOf[relation], yes: this.#distance(yes), no: this.#distance(no), value });
    return this.#remember(this.#places, id, place);
  }

  #writeDetour(decision: Decision, place: number): number {
    if (decision.kind === "answer") return this.#writeAnswer(decision.id, decision.action);
    return this.#push({ code: Code.JUMP, yes: 0, no: 0, value: this.#distance(place) });
  }

  #writeWithLoad(question: Question): number {
    const { offset, mask } = question.word;
    this.#writeQuestion(question);
    if (mask !== WHOLE) this.#push({ code: Code.AND, yes: 0, no: 0, value: mask });
    const place = this.#push({ code: Code.LOAD, yes: 0, no: 0, value: offset });
    return this.#remember(this.#placesWithLoad, question.id, place);
  }

  #push(instruction: Instruction): number {
    return this.#reversed.push(instruction) - 1;
  }

  /** How much the next instruction written would have to jump over. */
  #distance(place: number): number {
    return this.#reversed.length - place - 1;
  }

  #remember(places: Map<number, number>, id: number, place: number): number {
    places.set(id, place);
    return place;
  }
}

function isSame(a: Word, b: Word): boolean {
  return a.offset === b.offset && a.mask === b.mask;
}
