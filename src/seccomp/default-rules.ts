import type { Errno } from "../subprocess/errno.js";
import { ALLOW, refuse } from "./action.js";
import type { ArgumentIndex, ArgumentTest, Rule, RuleList } from "./rules.js";

/**
 * What no child may do, whatever it is granted: the list that Flatpak, WebKitGTK, gnome-desktop and glycin share, and what
 * has come to the kernel since. Everything else is allowed, since a list of what is allowed breaks with every new libc.
 */
export function defaultRules(): RuleList {
  return defaults;
}

const defaults: RuleList = {
  rules: [
    // The kernel's log, with addresses and the doings of others in it.
    ...refused("EPERM", "syslog"),
    // Old, nothing uses it, and it had bugs.
    ...refused("EPERM", "uselib"),
    // Accounting and quotas are the system's business; quotactl_fd (5.14) is quotactl by descriptor.
    ...refused("EPERM", "acct", "quotactl", "quotactl_fd"),
    // The keyrings of the session are not in any namespace.
    ...refused("EPERM", "add_key", "keyctl", "request_key"),
    // Where pages lie is nobody's business, and this code is hard: set_mempolicy_home_node (5.17) belongs to it.
    ...refused(
      "EPERM",
      "move_pages",
      "mbind",
      "get_mempolicy",
      "set_mempolicy",
      "set_mempolicy_home_node",
      "migrate_pages",
    ),
    // Namespaces within ours: in a new user namespace a child would have all capabilities, and the kernel's code for
    // root at its disposal. clone3() has its flags in memory, where no filter can look; without it libc uses clone().
    ...refused("EPERM", "unshare", "setns"),
    { name: "clone", tests: [hasBit(0, 0x10000000n)], action: refuse("EPERM") }, // CLONE_NEWUSER
    ...refused("ENOSYS", "clone3"),
    // Mounts, the old way and the new: nothing of what the sandbox hides can be uncovered, and /.flatpak-info not
    // be covered. The new calls are not there for the child, as on an old kernel, so that programs take the old ones.
    // open_tree_attr (6.15) is open_tree with mount_setattr.
    ...refused("EPERM", "mount", "umount", "umount2", "pivot_root", "chroot"),
    ...refused("ENOSYS", "open_tree", "open_tree_attr", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick"),
    ...refused("ENOSYS", "mount_setattr"),
    // Typing into the terminal that the launching program is at (CVE-2017-5226, CVE-2023-28100). The kernel looks at the
    // low word of the command only (CVE-2019-10063).
    { name: "ioctl", tests: [hasLow(1, 0x5412n)], action: refuse("EPERM") }, // TIOCSTI
    { name: "ioctl", tests: [hasLow(1, 0x541cn)], action: refuse("EPERM") }, // TIOCLINUX
    // Segments for 16-bit code, which only Wine and DOS emulators need.
    ...refused("EPERM", "modify_ldt"),
    // Looking into other processes of the sandbox, and at the hardware's counters. process_vm_* and pidfd_getfd (5.6)
    // are parts of what ptrace does.
    ...refused("EPERM", "ptrace", "perf_event_open", "process_vm_readv", "process_vm_writev", "pidfd_getfd"),
    // Other personalities turn off the random layout of memory, among much that is old.
    { name: "personality", tests: [{ argument: 0, comparison: "not-equal", value: 0n }], action: refuse("EPERM") },
    // Requests in the ring are not system calls, so no filter sees them: IORING_OP_SOCKET makes sockets of any family.
    // Most of the kernel's holes of late were here too. Not there, as on a kernel without it: programs have another way.
    ...refused("ENOSYS", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    // Programs in the kernel. Most systems refuse it to users with the same error.
    ...refused("EPERM", "bpf"),
    // Stops the kernel at a page of one's choice, which is half of many an attack on it. Only for virtual machines.
    ...refused("EPERM", "userfaultfd"),
    // Another kernel. Without capabilities it is refused in any case, behind code that need not be reached.
    ...refused("EPERM", "kexec_load", "kexec_file_load"),
    // Sockets of the families that programs use. The others lead past the network namespace (vsock, Bluetooth, …) or to
    // code that hardly anybody looks after.
    ...[0n, 1n, 2n, 10n, 16n].map(
      // AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
      (family): Rule => ({ name: "socket", tests: [hasLow(0, family)], action: ALLOW }),
    ),
    ...refused("EAFNOSUPPORT", "socket"),
  ],
  otherwise: ALLOW,
};

// Thought of and left alone: kcmp (graphics drivers compare descriptors by it, and it tells one bit), statmount,
// listmount and listns (they tell of what the child can see anyway), open_by_handle_at, init_module, reboot and their
// like (they need capabilities of the host's, which no child has), seccomp and landlock_* (a child may give up more).

function refused(errno: Errno, ...names: readonly string[]): Rule[] {
  return names.map((name) => ({ name, tests: [], action: refuse(errno) }));
}

/** The kernel takes these arguments as 32 bits, and does not look at the others. */
function hasLow(argument: ArgumentIndex, value: bigint): ArgumentTest {
  return { argument, comparison: "masked-equal", mask: 0xffffffffn, value };
}

function hasBit(argument: ArgumentIndex, bit: bigint): ArgumentTest {
  return { argument, comparison: "masked-equal", mask: bit, value: bit };
}
