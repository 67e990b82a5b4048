/**
 * The protocol spoken with gio-sandbox-init over its control socket (an AF_UNIX stream socket), version 1.
 *
 * Every frame is a header of three little-endian 32-bit words, then a body:
 *
 *     offset 0  u32  length of the body in bytes, at most `MAX_BODY`
 *     offset 4  u32  frame type, one of `Frame`
 *     offset 8  u32  process: the launcher's own number for the process that the frame is about, 0 if none
 *
 * The launcher speaks first, with HELLO; init answers READY once it is pid 1 of a sandbox that is set up, or need not
 * be (`HelloFlag.NOT_PID_1`). A frame that breaks a rule of this file ends the sandbox: init says REFUSED with the
 * reason, if it still can, and exits. The end of the control socket (the launcher died) ends the sandbox as well: all
 * its processes are killed.
 *
 * Launcher to init:
 *
 *     HELLO    u32 magic, u32 version, u32 flags (`HelloFlag`); once, and first
 *     LAUNCH   a list of sections; process is a number that no living process of the sandbox has, not 0
 *     SIGNAL   u32 signal number, u32 scope (`SignalScope`); a process that has ended is no error
 *     CLOSE    empty: kill everything, then exit
 *     MAKE     a list of sections; to an init that is a template (`HelloFlag.TEMPLATE`), instead of LAUNCH. Process is a
 *              number as in LAUNCH, and the one descriptor that comes with it is the control socket of a new sandbox: in
 *              namespaces of its own, with the template's files, and an init of its own, to which HELLO is said there
 *
 *     FURNISH  a list of sections; behind a HELLO that announces it (`HelloFlag.FURNISH`), and READY comes when it is done.
 *              Process is 0. A new root directory is made, which becomes that of the sandbox; then init gives up its rights
 *
 * Init to launcher:
 *
 *     READY    u32 version, u32 Landlock ABI (0: none)
 *     STARTED  u32 pid as the sandbox sees it: execve has succeeded
 *     FAILED   u32 step (`Step`), u32 errno, u32 detail (what it means is said beside each step); no process is left,
 *              and no EXITED follows. ETIMEDOUT: the timeout came before execve had succeeded, the step was under way;
 *              ENOMEM, EAGAIN likewise: the sandbox went over the memory, the processes of its WATCH. Of process 0, from an
 *              init that was made: the sandbox could not be set up
 *     EXITED   u32 raw wait status, u32 flags (`ExitFlag`), then nine u64: user time and system time in microseconds,
 *              maximum resident set in KiB, minor faults, major faults, blocks in, blocks out, voluntary and
 *              involuntary context switches (getrusage(2)); then u64 wall-clock time in microseconds
 *     EMPTY    empty: a process ended, or a launch failed, and none is left in the sandbox, descendants included
 *     REFUSED  u32 reason (`Refusal`)
 *
 * A section of LAUNCH is u32 tag (`Section`), u32 length in bytes, then that many bytes, padded with zeros to a
 * multiple of four. The strings in sections end with one NUL and contain no other.
 *
 *     ARGUMENT     string: one element of argv, in order, at least one
 *     VARIABLE     string: one NAME=VALUE of the environment; the environment starts empty
 *     DIRECTORY    string: the working directory, at most one; `/` if absent
 *     SEARCH_PATH  string: where to look for argv[0] if it contains no slash, at most one
 *     DESCRIPTOR   u32 target, u32 origin (`Origin`), u32 source: done in order with the semantics of GSubprocess:
 *                  sources are set aside above the largest target first, so swaps work and the last of equal
 *                  targets wins. All else is closed. A target without a mapping among 0–2 is /dev/null
 *     LIMIT        u32 resource (RLIMIT_*), u32 zero, u64 soft, u64 hard; all bits set: infinity. What is above the
 *                  hard limit that init itself has becomes that
 *     FILTER       a classic BPF program of at most 4096 instructions of 8 bytes: seccomp for the child, in order
 *     IDENTITY     u64 device, u64 inode, string path: before anything starts, this path must be this file (stat(2),
 *                  in the encoding of st_dev)
 *     TIMEOUT      u64 milliseconds of wall-clock time, then the process is killed with all that it started as far as
 *                  it can be found (everything in a single-use sandbox) and EXITED has TIMED_OUT set
 *     WATCH        u64 bytes of memory, u64 processes, both with all bits set for no limit; u32 flags (`WatchFlag`), u32
 *                  zero; at most one. From now on init looks again and again at what all processes of the sandbox have
 *                  together, itself not counted; another WATCH can make that stricter. What goes over is killed, everything
 *                  in the sandbox, and EXITED of each process says which limit it was. A thread counts as a process
 *     TMPFS        string: a file system in memory (tmpfs) that is the sandbox's alone: what is in it counts as memory, and
 *                  EXITED says whether one of them was full. Looked at in the first LAUNCH only
 *
 * A section of MAKE is written likewise. The processes that STARTED, EXITED and SIGNAL of a template are about are the
 * inits of the sandboxes that it has made: the end of one is the end of all that was in its sandbox.
 *
 *     NAMESPACES   u32 flags (`NamespaceFlag`): which namespaces are its own besides those that always are; exactly one
 *     USER_MAP     string: what user it has, as in /proc/PID/uid_map, user_namespaces(7); exactly one
 *     GROUP_MAP    string: likewise what group
 *     PRIVATE      two strings, a directory and options of tmpfs(5): an empty file system in memory of its own there
 *     CARRIED      string: what is mounted in a PRIVATE directory of the template, and is to be in the sandbox's
 *     COVER        string: a path below /proc that can only be read; one that is not there is no error
 *     FILTER       as in LAUNCH, for init as well
 *
 * A section of FURNISH is written likewise: USER_MAP, GROUP_MAP and FILTER as in MAKE, and
 *
 *     OPERATION    u32 operation (`Operation`), u32 mode (of what it makes, or `BindFlag`), string path in the new root
 *                  directory, then bytes that the operation is about: in this order. Directories above the path are made
 *
 * Descriptors travel as SCM_RIGHTS, one or several a message, with any byte of the LAUNCH frame that uses them, or of a
 * frame between the LAUNCH before it and this one. A message with descriptors has bytes of no other LAUNCH: the kernel
 * hands descriptors over with the first byte of their message. Origin RECEIVED takes them in the order of arrival: the
 * source is the index among those that came since the last LAUNCH. All of them are closed after it. Origin INHERITED
 * names a descriptor that init was started with, other than the control socket; those are there for the first LAUNCH
 * only, and are closed after it.
 *
 * These constants stand again in `src/native/protocol.h`; a test compares the two.
 */

export const MAGIC = 0x42534947; // "GISB" in memory
export const VERSION = 1;
export const HEADER_SIZE = 12;

/** Bounds, the same on both sides. */
export const Bound = {
  /** Bytes in a body. */
  MAX_BODY: 4 * 1024 * 1024,
  /** Arguments and variables of one LAUNCH together. */
  MAX_STRINGS: 131072,
  /** DESCRIPTOR sections of one LAUNCH. */
  MAX_DESCRIPTORS: 1024,
  /** Descriptors received and not used yet. */
  MAX_RECEIVED: 1024,
  /** LIMIT sections of one LAUNCH. */
  MAX_LIMITS: 32,
  /** FILTER sections of one LAUNCH. */
  MAX_FILTERS: 4,
  /** Instructions in one FILTER (BPF_MAXINSNS). */
  MAX_FILTER_LENGTH: 4096,
  /** IDENTITY sections of one LAUNCH. */
  MAX_IDENTITIES: 4096,
  /** Processes that live at once. */
  MAX_PROCESSES: 4096,
  /** TMPFS sections of one LAUNCH, PRIVATE sections of one MAKE. */
  MAX_TMPFS: 16,
  /** CARRIED sections of one MAKE. */
  MAX_CARRIED: 64,
  /** OPERATION sections of one FURNISH. */
  MAX_OPERATIONS: 8192,
  /** COVER sections of one MAKE. */
  MAX_COVERS: 32,
} as const;

export const Frame = {
  HELLO: 1,
  LAUNCH: 2,
  SIGNAL: 3,
  CLOSE: 4,
  MAKE: 5,
  FURNISH: 6,
  READY: 129,
  STARTED: 130,
  FAILED: 131,
  EXITED: 132,
  EMPTY: 133,
  REFUSED: 134,
} as const;
export type Frame = (typeof Frame)[keyof typeof Frame];

export const HelloFlag = {
  /** Exit when no process is left after the first LAUNCH, failed or not; a second LAUNCH is refused. */
  SINGLE_USE: 1,
  /**
   * Go on although init is not pid 1: somebody else made the sandbox, or there is none. Init is a subreaper then, and
   * kills what it has started itself: everybody, if nobody else was there when it began, else its descendants.
   */
  NOT_PID_1: 2,
  /**
   * Nothing is launched here: sandboxes are made after this one's example. It needs CAP_SYS_ADMIN, CAP_NET_ADMIN and
   * CAP_SETFCAP in the user namespace that its mounts belong to, and goes with no other flag.
   */
  TEMPLATE: 4,
  /** FURNISH comes next. It needs the same rights. */
  FURNISH: 8,
} as const;

export const Section = {
  ARGUMENT: 1,
  VARIABLE: 2,
  DIRECTORY: 3,
  SEARCH_PATH: 4,
  DESCRIPTOR: 5,
  LIMIT: 6,
  FILTER: 7,
  IDENTITY: 8,
  TIMEOUT: 9,
  WATCH: 10,
  TMPFS: 11,
  NAMESPACES: 12,
  USER_MAP: 13,
  GROUP_MAP: 14,
  PRIVATE: 15,
  COVER: 16,
  CARRIED: 17,
  OPERATION: 18,
} as const;
export type Section = (typeof Section)[keyof typeof Section];

/** Mounts, pids, users, the host name and cgroups are a sandbox's own always. */
export const NamespaceFlag = {
  NETWORK: 1,
  IPC: 2,
} as const;

/** What is done in a new root directory. Symbolic links in paths lead to where they would for who has it as root directory. */
export const Operation = {
  /** A directory, unless there is one. */
  DIRECTORY: 1,
  /** The bytes are what the link says. */
  SYMLINK: 2,
  /** A file with these bytes. */
  FILE: 3,
  /** A path in the old root directory (a string) is mounted there, with all that is mounted below it. */
  BIND: 4,
  /** An empty file system in memory; the bytes are options of tmpfs(5), as a string. */
  TMPFS: 5,
  /** The processes of the sandbox. */
  PROC: 6,
  /** As COVER in MAKE: the path is one of a /proc that has been mounted already. */
  COVER: 7,
  /** Terminals of the sandbox's own. */
  DEVPTS: 8,
  /** What is mounted there, and not what is mounted below it, can only be read from now on. */
  READ_ONLY: 9,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

export const BindFlag = {
  READ_ONLY: 1,
  /** Device nodes in it can be opened. */
  DEVICES: 2,
  /** One that is not there is no error. */
  OPTIONAL: 4,
} as const;

export const WatchFlag = {
  /** The sandbox has an IPC namespace of its own: all of System V's shared memory in it counts. */
  OWN_IPC: 1,
} as const;

export const Origin = {
  INHERITED: 0,
  RECEIVED: 1,
} as const;
export type Origin = (typeof Origin)[keyof typeof Origin];

export const SignalScope = {
  /** The process itself. */
  PROCESS: 0,
  /** The process and its process group, which it leads when it starts. */
  GROUP: 1,
  /** Every process of the sandbox but init; the frame's process is not looked at. */
  ALL: 2,
  /** The process, its session, and all that descends from it, as far as it can be found. */
  TREE: 3,
} as const;
export type SignalScope = (typeof SignalScope)[keyof typeof SignalScope];

export const ExitFlag = {
  TIMED_OUT: 1,
  /** It was killed because the sandbox had taken more memory than its WATCH allows. */
  MEMORY: 2,
  /** It was killed because there were more processes in the sandbox than its WATCH allows. */
  PROCESSES: 4,
  /** When it ended, however it did, a TMPFS of the sandbox had no room left. */
  TMPFS_FULL: 8,
} as const;

/** Where a launch failed. */
export const Step = {
  /** detail: index of the IDENTITY section; errno 0: another file is there. */
  IDENTITY: 1,
  /** EAGAIN: `MAX_PROCESSES` live already, or the system has too many. */
  FORK: 2,
  DIRECTORY: 3,
  /** detail: index of the DESCRIPTOR section. EBADF: there is no such source, or no such target can be. */
  DESCRIPTOR: 4,
  /** detail: index of the LIMIT section. */
  LIMIT: 5,
  NO_NEW_PRIVILEGES: 6,
  /** detail: index of the FILTER section. */
  FILTER: 7,
  EXEC: 8,
  /** What WATCH or TMPFS wants cannot be watched here. detail: index of the TMPFS section, or 2³²−1. */
  WATCH: 9,
  /** Of a sandbox that is being made: /proc, the terminals in /dev/pts. */
  FILE_SYSTEMS: 10,
  /** detail: index of the PRIVATE section. */
  PRIVATE: 11,
  /** detail: index of the COVER section. */
  COVER: 12,
  /** The loopback device. */
  NETWORK: 13,
  /** The user namespace, and that there can be no other in it. */
  USER: 14,
  CAPABILITIES: 15,
  /** detail: index of the CARRIED section. */
  CARRIED: 16,
  /** detail: index of the OPERATION section, or 2³²−1 for the root directory itself. */
  FURNISH: 17,
} as const;
export type Step = (typeof Step)[keyof typeof Step];

/** Why init refused a frame. */
export const Refusal = {
  NOT_HELLO: 1,
  BAD_MAGIC: 2,
  BAD_VERSION: 3,
  UNKNOWN_FRAME: 4,
  TOO_LONG: 5,
  MALFORMED: 6,
  UNKNOWN_SECTION: 7,
  TOO_MANY: 8,
  PROCESS_NUMBER: 9,
  SINGLE_USE: 10,
  NOT_PID_1: 11,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];
