/** A system call that the conformance program makes, with arguments that do no harm where it is let through. */
export interface ProbedCall {
  readonly name: string;
  readonly args: readonly (number | bigint)[];
  /** What a kernel says to it, where all kernels say the same to a process without capabilities; else null. */
  readonly kernel: string | null;
}

/** The calls of `calls[]` in test/fixtures/conformance.c. The addresses of strings there are 0 here: no filter looks at them. */
export const probedCalls: readonly ProbedCall[] = [
  call("acct", [0], "EPERM"),
  call("add_key", [0, 0, 0, 1, -1]),
  call("bpf", [0, 0, 0]),
  call("chroot", [0], "ENOENT"),
  call("clone3", [0, 0], "EINVAL"),
  call("fsconfig", [-1], "EINVAL"),
  call("fsmount", [-1], "EPERM"),
  call("fsopen", [0, 0], "EPERM"),
  call("fspick", [-100, 0, 0], "EPERM"),
  call("get_mempolicy", [0]),
  call("io_uring_enter", [-1]),
  call("io_uring_register", [-1]),
  call("io_uring_setup", [1, 0]),
  call("kexec_load", [0]),
  call("keyctl", [0, -3, 0]),
  call("mbind", [0]),
  call("migrate_pages", [0]),
  call("modify_ldt", [0, 0, 0]),
  call("mount", [0, 0, 0, 0, 0], "EPERM"),
  call("mount_setattr", [-100, 0, 0, 0, 0], "EINVAL"),
  call("move_mount", [-100, 0, -100, 0, 0], "EPERM"),
  call("move_pages", [0]),
  call("open_tree", [-100, 0, 0], "ENOENT"),
  call("open_tree_attr", [-100, 0, 0, 0, 0]),
  call("perf_event_open", [0, 0, -1, -1, 0]),
  call("pidfd_getfd", [-1, 0, 0], "EBADF"),
  call("pivot_root", [0, 0], "EPERM"),
  call("process_vm_readv", [0x7ffffffe], "OK"),
  call("process_vm_writev", [0x7ffffffe], "OK"),
  call("ptrace", [0, 0, 0, 0], "OK"),
  call("quotactl", [-1]),
  call("quotactl_fd", [-1]),
  call("request_key", [0, 0, 0, 0]),
  call("set_mempolicy", [0]),
  call("set_mempolicy_home_node", [0]),
  call("setns", [-1, 0], "EBADF"),
  call("syslog", [10, 0, 0]),
  call("umount2", [0, 0], "ENOENT"),
  call("unshare", [0], "OK"),
  call("uselib", [0]),
  call("userfaultfd", [0]),
];

function call(name: string, args: readonly number[], kernel: string | null = null): ProbedCall {
  return { name, args, kernel };
}

/** AF_* of linux/socket.h, as far as they go today. */
export const SocketFamily = {
  UNSPEC: 0,
  UNIX: 1,
  INET: 2,
  INET6: 10,
  NETLINK: 16,
  VSOCK: 40,
  MAX: 46,
} as const;

/** The bits that tell the kernel of a namespace: linux/sched.h. */
export const CloneFlag = { NEWUSER: 0x10000000, NEWNET: 0x40000000, SIGCHLD: 17 } as const;

/** Requests of terminals: asm-generic/ioctls.h. */
export const TerminalRequest = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c } as const;

/** What the kernel does not look at in arguments of 32 bits. */
export const DIRTY_HIGH_WORD = 0xdeadbeef00000000n;

export const ADDR_NO_RANDOMIZE = 0x0040000;
