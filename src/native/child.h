/* From clone() to execve(). */
#ifndef CHILD_H
#define CHILD_H

#include "frames.h"

/*
 * What the child says about itself, in memory that it has in common with init: a filter may forbid every system call,
 * write() too. The end of the child's pipe says that it will say no more.
 */
struct report
{
  uint32_t reached; /* the STEP_* it is at */
  uint32_t failed;  /* whether that step failed, which ended the child */
  uint32_t error;   /* errno */
  uint32_t detail;
};

/* The descriptors that the child finds. */
struct supply
{
  int null;     /* /dev/null */
  int liveness; /* write end of the pipe, FD_CLOEXEC */
  int ruleset;  /* of Landlock, which the child submits to; -1: none */
  uint64_t process_backstop; /* RLIMIT_NPROC, or UNLIMITED to leave that alone */
  size_t received_count;
  int received[BOUND_MAX_RECEIVED];
};

/*
 * Becomes the program of `launch`, or reports the failed step and exits. All signals are blocked, none is ignored.
 *
 * It may share its memory with init (CLONE_VM), which then leaves all that is handed over here alone until the pipe has
 * ended. It has a stack of its own, but errno is init's, so it makes no call that could set it.
 */
_Noreturn void child_run (struct launch *launch, const struct supply *supply, volatile struct report *report);

#endif
