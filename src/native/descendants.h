/* What a process has started, as far as it can be found. */
#ifndef DESCENDANTS_H
#define DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Sends `signal_number` to `leader`, which leads a session and has not been reaped, to all of this session, and to all
 * that descends from them. A process that left the session and whose parent has ended is not found.
 */
void descendants_signal (pid_t leader, int signal_number);

/*
 * Sends `signal_number` to all that descends from this process. That is everything that it has started, ever, if it is a
 * subreaper. SIGKILL comes after SIGSTOP, so that what forks while the list is made cannot run away from it.
 */
void descendants_signal_all (int signal_number);

/*
 * Calls `visit` for each process that descends from `ancestor`, which is not one of them, until it returns false. `proc`
 * is /proc.
 */
void descendants_each (int proc, pid_t ancestor, bool (*visit) (int pid, void *data), void *data);

/* Whether /proc is that of this process, and shows no other but pid 1. */
bool descendants_is_alone (void);

#endif
