import { closeSync, constants, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import type { Action } from "../../src/seccomp/action.js";
import type { Architecture } from "../../src/seccomp/architecture.js";
import { architectures } from "../../src/seccomp/architecture.js";
import type { ArgumentTest } from "../../src/seccomp/rules.js";

/** One call of seccomp_rule_add_array(3), by the call's name. */
export interface OracleRule {
  readonly name: string;
  readonly tests: readonly ArgumentTest[];
  readonly action: Action;
}

/** libseccomp, the other compiler. */
export interface Libseccomp {
  /** The number that it knows; negative for a call that it knows by name, but not here; null for an unknown one. */
  numberOf(name: string, architecture: Architecture): number | null;
  nameOf(number: number, architecture: Architecture): string | null;
  /** Its program for one architecture: it kills the process for all others. */
  compile(architecture: Architecture, otherwise: Action, rules: readonly OracleRule[]): Uint8Array;
}

/** @returns null if it is not installed */
export function loadLibseccomp(): Libseccomp | null {
  try {
    return bind(koffi.load("libseccomp.so.2"));
  } catch {
    return null;
  }
}

const SCMP_FLTATR_ACT_BADARCH = 2;
const NR_SCMP_ERROR = -1;

const comparisons = {
  "not-equal": 1,
  less: 2,
  "less-or-equal": 3,
  equal: 4,
  "greater-or-equal": 5,
  greater: 6,
  "masked-equal": 7,
} as const;

type Context = object;

function bind(library: ReturnType<typeof koffi.load>): Libseccomp {
  const init = library.func("void *seccomp_init(uint32_t)") as (action: number) => Context | null;
  const release = library.func("void seccomp_release(void *)") as (context: Context) => void;
  const archAdd = library.func("int seccomp_arch_add(void *, uint32_t)") as (context: Context, arch: number) => number;
  const archExist = library.func("int seccomp_arch_exist(void *, uint32_t)") as (
    context: Context,
    arch: number,
  ) => number;
  const archNative = library.func("uint32_t seccomp_arch_native()") as () => number;
  const archRemove = library.func("int seccomp_arch_remove(void *, uint32_t)") as (
    context: Context,
    arch: number,
  ) => number;
  const attrSet = library.func("int seccomp_attr_set(void *, int, uint32_t)") as (
    context: Context,
    attribute: number,
    value: number,
  ) => number;
  const ruleAdd = library.func("int seccomp_rule_add_array(void *, uint32_t, int, unsigned int, void *)") as (
    context: Context,
    action: number,
    call: number,
    count: number,
    tests: Uint8Array,
  ) => number;
  const exportBpf = library.func("int seccomp_export_bpf(void *, int)") as (context: Context, fd: number) => number;
  const resolve = library.func("int seccomp_syscall_resolve_name_arch(uint32_t, const char *)") as (
    arch: number,
    name: string,
  ) => number;
  const resolveNumber = library.func("const char *seccomp_syscall_resolve_num_arch(uint32_t, int)") as (
    arch: number,
    number: number,
  ) => string | null;

  const checked = (what: string, result: number): void => {
    if (result < 0) throw new Error(`libseccomp: ${what}: ${result}`);
  };

  const fill = (context: Context, architecture: Architecture, rules: readonly OracleRule[]): void => {
    const { audit } = architectures[architecture];
    if (archExist(context, audit) !== 0) checked("seccomp_arch_add", archAdd(context, audit));
    if (archNative() !== audit) checked("seccomp_arch_remove", archRemove(context, archNative()));
    checked("seccomp_attr_set", attrSet(context, SCMP_FLTATR_ACT_BADARCH, 0x80000000));
    for (const { name, tests, action } of rules) {
      // it wants the number that the call has on the machine it runs on, and finds out about the others
      const call = resolve(archNative(), name);
      if (call === NR_SCMP_ERROR) throw new Error(`libseccomp does not know ${name}`);
      checked(`${name} ${architecture}`, ruleAdd(context, action, call, tests.length, encodeTests(tests)));
    }
  };

  return {
    numberOf(name, architecture) {
      const number = resolve(architectures[architecture].audit, name);
      return number === NR_SCMP_ERROR ? null : number;
    },
    nameOf: (number, architecture) => resolveNumber(architectures[architecture].audit, number),
    compile(architecture, otherwise, rules) {
      const context = init(otherwise);
      if (context === null) throw new Error("libseccomp: seccomp_init");
      try {
        fill(context, architecture, rules);
        return written((fd) => checked("seccomp_export_bpf", exportBpf(context, fd)));
      } finally {
        release(context);
      }
    },
  };
}

/** struct scmp_arg_cmp each. */
function encodeTests(tests: readonly ArgumentTest[]): Uint8Array {
  const bytes = new Uint8Array(Math.max(1, tests.length) * 24);
  const view = new DataView(bytes.buffer);
  tests.forEach((test, index) => {
    const isMasked = test.comparison === "masked-equal";
    view.setUint32(index * 24, test.argument, true);
    view.setUint32(index * 24 + 4, comparisons[test.comparison], true);
    view.setBigUint64(index * 24 + 8, isMasked ? test.mask : test.value, true);
    view.setBigUint64(index * 24 + 16, isMasked ? test.value : 0n, true);
  });
  return bytes;
}

function written(write: (fd: number) => void): Uint8Array {
  const path = join(tmpdir(), `gio-sandbox-libseccomp-${process.pid}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    write(fd);
    return readFileSync(path);
  } finally {
    closeSync(fd);
    rmSync(path);
  }
}
