/* What a process has started, as far as it can be found. */
#ifndef DESCENDANTS_H
#define DESCENDANTS_H

#include <sys/types.h>

/*
 * Sends `signal_number` to `leader`, which leads a session and has not been reaped, to its process group and session, and to
 * all that descends from it. A process that left the session and whose parent has ended is not found.
 */
void descendants_signal (pid_t leader, int signal_number);

#endif
