import type { Action } from "./action.js";
import { Code, decodeProgram } from "./program.js";

/** struct seccomp_data (linux/seccomp.h). */
export interface SystemCallData {
  readonly number: number;
  /** AUDIT_ARCH_*. */
  readonly audit: number;
  /** Up to six, of 64 bits; those that are missing are zero. */
  readonly arguments: readonly bigint[];
}

export interface Verdict {
  readonly action: Action;
  /** Instructions done. */
  readonly steps: number;
}

/**
 * What a filter says to system calls, as the kernel would run it: for tests.
 *
 * @throws RangeError for a program that the kernel would not take, as far as the calls come to it
 */
export function interpreter(bytes: Uint8Array): (call: SystemCallData) => Verdict {
  const program = decodeProgram(bytes);
  const data = new DataView(new ArrayBuffer(64));
  return (call) => {
    writeData(data, call);
    let accumulator = 0;
    for (let at = 0, steps = 1; ; at++, steps++) {
      const instruction = program[at];
      if (instruction === undefined) throw new RangeError(`The program leads to ${at}, which is behind its end`);
      const { code, yes, no, value } = instruction;
      switch (code) {
        case Code.LOAD:
          if (value % 4 !== 0) throw new RangeError(`${at}: ${value} is not the offset of a word`);
          accumulator = data.getUint32(value, true);
          break;
        case Code.AND:
          accumulator = (accumulator & value) >>> 0;
          break;
        case Code.JUMP:
          at += value;
          break;
        case Code.RETURN:
          return { action: value, steps };
        case Code.EQUAL:
          at += accumulator === value ? yes : no;
          break;
        case Code.GREATER:
          at += accumulator > value ? yes : no;
          break;
        case Code.GREATER_OR_EQUAL:
          at += accumulator >= value ? yes : no;
          break;
        case Code.ANY_BIT:
          at += (accumulator & value) !== 0 ? yes : no;
          break;
        default:
          throw new RangeError(`${at}: no filter has the code 0x${code.toString(16)}`);
      }
    }
  };
}

function writeData(data: DataView, call: SystemCallData): void {
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.audit, true);
  data.setBigUint64(8, 0n, true);
  for (let index = 0; index < 6; index++) data.setBigUint64(16 + 8 * index, call.arguments[index] ?? 0n, true);
}
