/** A classic BPF program that seccomp(2) takes. */
export interface FilterProgram {
  /** struct sock_filter, 8 bytes an instruction. */
  readonly bytes: Uint8Array;
  /** At most 4096. */
  readonly instructions: number;
  /** The instructions that the longest way through it takes. */
  readonly worstSteps: number;
}
