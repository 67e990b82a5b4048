import { actionText } from "./action.js";
import type { Architecture } from "./architecture.js";
import { architectures } from "./architecture.js";
import type { Instruction } from "./program.js";
import { Code, decodeProgram } from "./program.js";
import { systemCalls } from "./system-calls.js";

/** A filter in words, one line an instruction, for people. */
export function disassemble(bytes: Uint8Array): string {
  const program = decodeProgram(bytes);
  const states = statesBefore(program);
  const width = String(program.length - 1).length;
  return program
    .map((instruction, index) => {
      const text = new Sentence(index, states[index] ?? unknownState).of(instruction);
      return `${String(index).padStart(width)}  ${text}\n`;
    })
    .join("");
}

/** What is known wherever one comes from. */
interface State {
  /** The offset of the word in the accumulator. */
  readonly loaded: number | null;
  readonly architecture: Architecture | null;
}

const unknownState: State = { loaded: null, architecture: null };

/** Jumps lead forwards, so once through is enough. */
function statesBefore(program: readonly Instruction[]): readonly (State | undefined)[] {
  const states: (State | undefined)[] = [unknownState];
  const reach = (index: number, state: State): void => {
    const other = states[index] ?? state;
    const loaded = other.loaded === state.loaded ? state.loaded : null;
    states[index] = { loaded, architecture: other.architecture === state.architecture ? state.architecture : null };
  };
  program.forEach(({ code, yes, no, value }, index) => {
    const state = states[index];
    if (state === undefined || code === Code.RETURN) return;
    if (code === Code.LOAD) reach(index + 1, { ...state, loaded: value });
    else if (code === Code.AND) reach(index + 1, state);
    else if (code === Code.JUMP) reach(index + 1 + value, state);
    else {
      const isChosen = code === Code.EQUAL && state.loaded === ARCHITECTURE;
      reach(index + 1 + yes, isChosen ? { ...state, architecture: architectureOf(value) } : state);
      reach(index + 1 + no, state);
    }
  });
  return states;
}

const NUMBER = 0;
const ARCHITECTURE = 4;

function architectureOf(audit: number): Architecture | null {
  const names = Object.keys(architectures) as Architecture[];
  return names.find((name) => architectures[name].audit === audit) ?? null;
}

class Sentence {
  readonly #index: number;
  readonly #state: State;

  constructor(index: number, state: State) {
    this.#index = index;
    this.#state = state;
  }

  of({ code, yes, no, value }: Instruction): string {
    const question = (relation: string): string => {
      return `if ${relation} ${this.#value(value)} ${this.#target(yes)}, else ${this.#target(no)}`;
    };
    switch (code) {
      case Code.LOAD:
        return `take ${wordText(value)}`;
      case Code.AND:
        return `keep the bits ${hexadecimal(value)}`;
      case Code.JUMP:
        return this.#target(value);
      case Code.RETURN:
        return actionText(value);
      case Code.EQUAL:
        return question("=");
      case Code.GREATER:
        return question(">");
      case Code.GREATER_OR_EQUAL:
        return question("≥");
      case Code.ANY_BIT:
        return question("any bit of");
      default:
        return `unknown code ${hexadecimal(code)}, ${hexadecimal(value)}`;
    }
  }

  #target(distance: number): string {
    return distance === 0 ? "go on" : `go to ${this.#index + 1 + distance}`;
  }

  #value(value: number): string {
    const { loaded, architecture } = this.#state;
    if (loaded === ARCHITECTURE) return architectureOf(value) ?? hexadecimal(value);
    if (loaded !== NUMBER || value >= 0x40000000) return hexadecimal(value);
    const name = architecture === null ? undefined : nameOf(value, architecture);
    return name === undefined ? String(value) : `${value} (${name})`;
  }
}

function nameOf(number: number, architecture: Architecture): string | undefined {
  return [...systemCalls(architecture)].find(([, candidate]) => candidate === number)?.[0];
}

function wordText(offset: number): string {
  if (offset === NUMBER) return "the number";
  if (offset === ARCHITECTURE) return "the architecture";
  const half = offset % 8 === 0 ? "low" : "high";
  if (offset < 16) return `the ${half} word of the instruction pointer`;
  return `the ${half} word of argument ${(offset - 16) >> 3}`;
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16)}`;
}
