/*
 * What is said between this library for GJS and gio-sandbox-calls, over a stream socket: one request at a time, and its
 * reply. All numbers are little-endian. The constants stand in src/native/system-call-protocol.h too; a test compares
 * the two.
 *
 * A request is four words of 32 bits, an operation, two numbers `a` and `b`, and the length of the data; and the data. A
 * reply is two words, the result, which is that of the system call or a negative errno, and the length of the data; and
 * the data. Behind that come the descriptors that the call has made: one message each, of a single NUL byte and with
 * SCM_RIGHTS. All of them are close-on-exec.
 *
 * The service answers what the kernel refuses, and ends where a request is malformed: an operation that there is not, more
 * than MAX_DATA bytes, or a NUL where none belongs.
 */

/** Bytes of a request or a reply without its data, and of what STAT and LSTAT give. */
export const REQUEST_SIZE = 16;
export const REPLY_SIZE = 8;
export const STATUS_SIZE = 64;

/** PATH_MAX: a path and the NUL behind it, which is not sent. */
export const MAX_PATH = 4096;
/** Two paths, and a NUL between them. */
export const MAX_DATA = 8192;

export const Operation = {
  /** a: flags, to which O_CLOEXEC is added; b: the mode of a new file; data: a path. Makes a descriptor. */
  OPEN: 1,
  /** Makes two descriptors: to read from, and to write to. */
  PIPE: 2,
  /** Makes two descriptors: stream sockets. */
  SOCKETPAIR: 3,
  /** data: what it is called in /proc. Makes a descriptor. */
  MEMFD: 4,
  /** data: a path. Replies with eight numbers of 64 bits: dev, ino, mode, nlink, uid, gid, rdev, size. */
  STAT: 5,
  LSTAT: 6,
  /** data: a path. Replies with what is in the symbolic link. */
  READLINK: 7,
  /** a: of R_OK, W_OK, X_OK; data: a path. */
  ACCESS: 8,
  /** a: the mode; data: a path. */
  MKDIR: 9,
  RMDIR: 10,
  UNLINK: 11,
  /** data: the old path, a NUL, and the new one. */
  RENAME: 12,
  /** a: the pid of one process, from 1 on; b: a signal. */
  KILL: 13,
  /** data: any bytes. Makes a descriptor: a file in memory with them, to be read from its start. */
  DATA: 14,
} as const;
export type Operation = (typeof Operation)[keyof typeof Operation];
