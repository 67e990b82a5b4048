/**
 * System calls that came after the headers, with the release that brought each. From 403 on a number is the same on all
 * architectures that have the call (Documentation/process/adding-syscalls.rst, scripts/syscall.tbl and
 * arch/x86/entry/syscalls/ of the kernel).
 */
const additions: Readonly<Record<string, readonly (readonly [name: string, number: number])[]>> = {
  all: [
    ["cachestat", 451], // 6.5
    ["fchmodat2", 452], // 6.6
    ["map_shadow_stack", 453], // 6.6
    ["futex_wake", 454], // 6.7
    ["futex_wait", 455], // 6.7
    ["futex_requeue", 456], // 6.7
    ["statmount", 457], // 6.8
    ["listmount", 458], // 6.8
    ["lsm_get_self_attr", 459], // 6.8
    ["lsm_set_self_attr", 460], // 6.8
    ["lsm_list_modules", 461], // 6.8
    ["mseal", 462], // 6.10
    ["setxattrat", 463], // 6.13
    ["getxattrat", 464], // 6.13
    ["listxattrat", 465], // 6.13
    ["removexattrat", 466], // 6.13
    ["open_tree_attr", 467], // 6.15
    ["file_getattr", 468], // 6.17
    ["file_setattr", 469], // 6.17
    ["listns", 470], // 6.19
    ["rseq_slice_yield", 471], // 7.0
  ],
  x86_64: [
    ["uretprobe", 335], // 6.11
    ["uprobe", 336], // 6.18
  ],
  riscv64: [
    ["riscv_hwprobe", 258], // 6.4
  ],
};

/** @param architecture or `all` */
export function supplement(architecture: string): readonly (readonly [name: string, number: number])[] {
  return additions[architecture] ?? [];
}
