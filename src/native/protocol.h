/*
 * The constants of the protocol between the launcher and gio-sandbox-init. What they mean, and the layout of the
 * frames, stands in src/init/protocol.ts; a test compares the two tables.
 *
 * Each name is the group of protocol.ts, an underscore and the member: Frame.HELLO is FRAME_HELLO.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#define PROTOCOL_CONSTANTS(X)                                                                                         \
  X (MAGIC, 0x42534947)                                                                                               \
  X (VERSION, 1)                                                                                                      \
  X (HEADER_SIZE, 12)                                                                                                 \
                                                                                                                      \
  X (BOUND_MAX_BODY, 4 * 1024 * 1024)                                                                                 \
  X (BOUND_MAX_STRINGS, 131072)                                                                                       \
  X (BOUND_MAX_DESCRIPTORS, 1024)                                                                                     \
  X (BOUND_MAX_RECEIVED, 1024)                                                                                        \
  X (BOUND_MAX_LIMITS, 32)                                                                                            \
  X (BOUND_MAX_FILTERS, 4)                                                                                            \
  X (BOUND_MAX_FILTER_LENGTH, 4096)                                                                                   \
  X (BOUND_MAX_IDENTITIES, 4096)                                                                                      \
  X (BOUND_MAX_PROCESSES, 4096)                                                                                       \
  X (BOUND_MAX_TMPFS, 16)                                                                                             \
  X (BOUND_MAX_CARRIED, 64)                                                                                           \
  X (BOUND_MAX_OPERATIONS, 8192)                                                                                      \
  X (BOUND_MAX_COVERS, 32)                                                                                            \
                                                                                                                      \
  X (FRAME_HELLO, 1)                                                                                                  \
  X (FRAME_LAUNCH, 2)                                                                                                 \
  X (FRAME_SIGNAL, 3)                                                                                                 \
  X (FRAME_CLOSE, 4)                                                                                                  \
  X (FRAME_MAKE, 5)                                                                                                   \
  X (FRAME_FURNISH, 6)                                                                                                \
  X (FRAME_READY, 129)                                                                                                \
  X (FRAME_STARTED, 130)                                                                                              \
  X (FRAME_FAILED, 131)                                                                                               \
  X (FRAME_EXITED, 132)                                                                                               \
  X (FRAME_EMPTY, 133)                                                                                                \
  X (FRAME_REFUSED, 134)                                                                                              \
                                                                                                                      \
  X (HELLO_FLAG_SINGLE_USE, 1)                                                                                        \
  X (HELLO_FLAG_NOT_PID_1, 2)                                                                                         \
  X (HELLO_FLAG_TEMPLATE, 4)                                                                                          \
  X (HELLO_FLAG_FURNISH, 8)                                                                                           \
                                                                                                                      \
  X (SECTION_ARGUMENT, 1)                                                                                             \
  X (SECTION_VARIABLE, 2)                                                                                             \
  X (SECTION_DIRECTORY, 3)                                                                                            \
  X (SECTION_SEARCH_PATH, 4)                                                                                          \
  X (SECTION_DESCRIPTOR, 5)                                                                                           \
  X (SECTION_LIMIT, 6)                                                                                                \
  X (SECTION_FILTER, 7)                                                                                               \
  X (SECTION_IDENTITY, 8)                                                                                             \
  X (SECTION_TIMEOUT, 9)                                                                                              \
  X (SECTION_WATCH, 10)                                                                                               \
  X (SECTION_TMPFS, 11)                                                                                               \
  X (SECTION_NAMESPACES, 12)                                                                                          \
  X (SECTION_USER_MAP, 13)                                                                                            \
  X (SECTION_GROUP_MAP, 14)                                                                                           \
  X (SECTION_PRIVATE, 15)                                                                                             \
  X (SECTION_COVER, 16)                                                                                               \
  X (SECTION_CARRIED, 17)                                                                                             \
  X (SECTION_OPERATION, 18)                                                                                           \
                                                                                                                      \
  X (NAMESPACE_FLAG_NETWORK, 1)                                                                                       \
  X (NAMESPACE_FLAG_IPC, 2)                                                                                           \
                                                                                                                      \
  X (OPERATION_DIRECTORY, 1)                                                                                          \
  X (OPERATION_SYMLINK, 2)                                                                                            \
  X (OPERATION_FILE, 3)                                                                                               \
  X (OPERATION_BIND, 4)                                                                                               \
  X (OPERATION_TMPFS, 5)                                                                                              \
  X (OPERATION_PROC, 6)                                                                                               \
  X (OPERATION_COVER, 7)                                                                                              \
  X (OPERATION_DEVPTS, 8)                                                                                             \
  X (OPERATION_READ_ONLY, 9)                                                                                          \
                                                                                                                      \
  X (BIND_FLAG_READ_ONLY, 1)                                                                                          \
  X (BIND_FLAG_DEVICES, 2)                                                                                            \
  X (BIND_FLAG_OPTIONAL, 4)                                                                                           \
                                                                                                                      \
  X (WATCH_FLAG_OWN_IPC, 1)                                                                                           \
                                                                                                                      \
  X (ORIGIN_INHERITED, 0)                                                                                             \
  X (ORIGIN_RECEIVED, 1)                                                                                              \
                                                                                                                      \
  X (SIGNAL_SCOPE_PROCESS, 0)                                                                                         \
  X (SIGNAL_SCOPE_GROUP, 1)                                                                                           \
  X (SIGNAL_SCOPE_ALL, 2)                                                                                             \
  X (SIGNAL_SCOPE_TREE, 3)                                                                                            \
                                                                                                                      \
  X (EXIT_FLAG_TIMED_OUT, 1)                                                                                          \
  X (EXIT_FLAG_MEMORY, 2)                                                                                             \
  X (EXIT_FLAG_PROCESSES, 4)                                                                                          \
  X (EXIT_FLAG_TMPFS_FULL, 8)                                                                                         \
                                                                                                                      \
  X (STEP_IDENTITY, 1)                                                                                                \
  X (STEP_FORK, 2)                                                                                                    \
  X (STEP_DIRECTORY, 3)                                                                                               \
  X (STEP_DESCRIPTOR, 4)                                                                                              \
  X (STEP_LIMIT, 5)                                                                                                   \
  X (STEP_NO_NEW_PRIVILEGES, 6)                                                                                       \
  X (STEP_FILTER, 7)                                                                                                  \
  X (STEP_EXEC, 8)                                                                                                    \
  X (STEP_WATCH, 9)                                                                                                   \
  X (STEP_FILE_SYSTEMS, 10)                                                                                           \
  X (STEP_PRIVATE, 11)                                                                                                \
  X (STEP_COVER, 12)                                                                                                  \
  X (STEP_NETWORK, 13)                                                                                                \
  X (STEP_USER, 14)                                                                                                   \
  X (STEP_CAPABILITIES, 15)                                                                                           \
  X (STEP_CARRIED, 16)                                                                                                \
  X (STEP_FURNISH, 17)                                                                                                \
                                                                                                                      \
  X (REFUSAL_NOT_HELLO, 1)                                                                                            \
  X (REFUSAL_BAD_MAGIC, 2)                                                                                            \
  X (REFUSAL_BAD_VERSION, 3)                                                                                          \
  X (REFUSAL_UNKNOWN_FRAME, 4)                                                                                        \
  X (REFUSAL_TOO_LONG, 5)                                                                                             \
  X (REFUSAL_MALFORMED, 6)                                                                                            \
  X (REFUSAL_UNKNOWN_SECTION, 7)                                                                                      \
  X (REFUSAL_TOO_MANY, 8)                                                                                             \
  X (REFUSAL_PROCESS_NUMBER, 9)                                                                                       \
  X (REFUSAL_SINGLE_USE, 10)                                                                                          \
  X (REFUSAL_NOT_PID_1, 11)

enum
{
#define PROTOCOL_MEMBER(name, value) name = value,
  PROTOCOL_CONSTANTS (PROTOCOL_MEMBER)
#undef PROTOCOL_MEMBER
};

#endif
