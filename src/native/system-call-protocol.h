/*
 * The constants of the protocol between the library for GJS and gio-sandbox-calls. What they mean, and the layout of
 * requests and replies, stands in src/gjs/system-call-protocol.ts; a test compares the two tables.
 *
 * Each name is the group of that file, an underscore and the member: Operation.OPEN is OPERATION_OPEN.
 */
#ifndef SYSTEM_CALL_PROTOCOL_H
#define SYSTEM_CALL_PROTOCOL_H

#define SYSTEM_CALL_CONSTANTS(X)                                                                                      \
  X (REQUEST_SIZE, 16)                                                                                                \
  X (REPLY_SIZE, 8)                                                                                                   \
  X (STATUS_SIZE, 64)                                                                                                 \
  X (MAX_PATH, 4096)                                                                                                  \
  X (MAX_DATA, 8192)                                                                                                  \
                                                                                                                      \
  X (OPERATION_OPEN, 1)                                                                                               \
  X (OPERATION_PIPE, 2)                                                                                               \
  X (OPERATION_SOCKETPAIR, 3)                                                                                         \
  X (OPERATION_MEMFD, 4)                                                                                              \
  X (OPERATION_STAT, 5)                                                                                               \
  X (OPERATION_LSTAT, 6)                                                                                              \
  X (OPERATION_READLINK, 7)                                                                                           \
  X (OPERATION_ACCESS, 8)                                                                                             \
  X (OPERATION_MKDIR, 9)                                                                                              \
  X (OPERATION_RMDIR, 10)                                                                                             \
  X (OPERATION_UNLINK, 11)                                                                                            \
  X (OPERATION_RENAME, 12)                                                                                            \
  X (OPERATION_KILL, 13)                                                                                              \
  X (OPERATION_DATA, 14)

enum
{
#define SYSTEM_CALL_MEMBER(name, value) name = value,
  SYSTEM_CALL_CONSTANTS (SYSTEM_CALL_MEMBER)
#undef SYSTEM_CALL_MEMBER
};

#endif
