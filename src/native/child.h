/* From fork() to execve(). */
#ifndef CHILD_H
#define CHILD_H

#include "frames.h"

/*
 * What the child says about itself, in memory shared with init: a filter may forbid every system call, write() too.
 * The end of the child's pipe says that it will say no more.
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
  const int *received;
  size_t received_count;
};

/* Becomes the program of `launch`, or reports the failed step and exits. All signals are blocked, none is ignored. */
_Noreturn void child_run (struct launch *launch, const struct supply *supply, volatile struct report *report);

#endif
