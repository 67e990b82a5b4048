/** An architecture whose system calls we know, by the name that uname(2) has for it; `arm` is that of EABI. */
export type Architecture = "x86_64" | "i386" | "aarch64" | "arm" | "riscv64";

export interface ArchitectureFacts {
  /** AUDIT_ARCH_* (linux/audit.h): what seccomp_data.arch says. */
  readonly audit: number;
  /** Whether an argument has a high word: elsewhere the kernel gives zero for it. */
  readonly isWide: boolean;
  /** The architecture with 32 bits whose programs the same kernel can run, which any process can change to. */
  readonly sibling: Architecture | null;
  /**
   * The first number of a second table (x32) behind the same `audit`, as far as −1. Few kernels have it, and nothing that
   * we know of needs it. Null: there is none.
   */
  readonly secondTable: number | null;
}

/** All of them are little-endian. */
export const architectures: Readonly<Record<Architecture, ArchitectureFacts>> = {
  x86_64: { audit: 0xc000003e, isWide: true, sibling: "i386", secondTable: 0x40000000 },
  i386: { audit: 0x40000003, isWide: false, sibling: null, secondTable: null },
  aarch64: { audit: 0xc00000b7, isWide: true, sibling: "arm", secondTable: null },
  arm: { audit: 0x40000028, isWide: false, sibling: null, secondTable: null },
  riscv64: { audit: 0xc00000f3, isWide: true, sibling: null, secondTable: null },
};

export function isArchitecture(name: string): name is Architecture {
  return Object.hasOwn(architectures, name);
}

/** An architecture with its sibling: all that a process on such a machine can make system calls of. */
export function withSibling(architecture: Architecture): readonly Architecture[] {
  const { sibling } = architectures[architecture];
  return sibling === null ? [architecture] : [architecture, sibling];
}

/** The number that a tracer sets to skip a system call, as seccomp_data.nr has it: it is no call, and is let through. */
export const SKIPPED_CALL = 0xffffffff;
