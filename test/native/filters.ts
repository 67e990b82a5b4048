import { arch } from "node:process";

/** A classic BPF program for seccomp(2), from rows of code, jt, jf, k (linux/filter.h). */
function program(...rows: readonly (readonly [number, number, number, number])[]): Uint8Array {
  const bytes = Buffer.alloc(8 * rows.length);
  rows.forEach(([code, jt, jf, k], index) => {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(jt, 8 * index + 2);
    bytes.writeUInt8(jf, 8 * index + 3);
    bytes.writeUInt32LE(k, 8 * index + 4);
  });
  return bytes;
}

const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS, at an offset of struct seccomp_data
const IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K
const NUMBER = 0;
const FIRST_ARGUMENT = 16;

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const KILL_PROCESS = 0x80000000;

/** System call numbers: asm/unistd_64.h, asm-generic/unistd.h. */
export const Call = arch === "arm64" ? { clone: 220, prctl: 167, uname: 160 } : { clone: 56, prctl: 157, uname: 63 };

/** Makes one system call fail. */
export function failing(call: number, errno: number): Uint8Array {
  return program([LOAD, 0, 0, NUMBER], [IF_EQUAL, 0, 1, call], [RETURN, 0, 0, ERRNO | errno], [RETURN, 0, 0, ALLOW]);
}

/** Makes one system call fail if its first argument is this one. */
export function failingWith(call: number, argument: number, errno: number): Uint8Array {
  return program(
    [LOAD, 0, 0, NUMBER],
    [IF_EQUAL, 0, 3, call],
    [LOAD, 0, 0, FIRST_ARGUMENT],
    [IF_EQUAL, 0, 1, argument],
    [RETURN, 0, 0, ERRNO | errno],
    [RETURN, 0, 0, ALLOW],
  );
}

/** Ends the process at its next system call. */
export const killing = program([RETURN, 0, 0, KILL_PROCESS]);

/** No program at all: it jumps behind its end. */
export const invalid = program([IF_EQUAL, 200, 200, 0], [RETURN, 0, 0, ALLOW]);
