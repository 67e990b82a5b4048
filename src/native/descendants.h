/* What a process has started, as far as it can be found. */
#ifndef DESCENDANTS_H
#define DESCENDANTS_H

#include <sys/types.h>

/*
 * Sends `signal_number` to `leader`, which leads a session and has not been reaped, to all of this session, and to all
 * that descends from them. A process that left the session and whose parent has ended is not found.
 */
void descendants_signal (pid_t leader, int signal_number);

#endif
