/* What a template does for each sandbox that is made after its example. */
#ifndef MADE_SANDBOX_H
#define MADE_SANDBOX_H

#include "frames.h"

#include <sys/types.h>

/* As fork(), but the child is the first process of new namespaces. Returns its pid, 0 in the child, or -1 with errno. */
pid_t made_sandbox_fork (const struct make *make);

/*
 * Sets up the namespaces that this process is the first of: file systems of its own beside those that it has in common
 * with the template, then a user namespace in which no capability is left, none can be had, and from which none counts for the
 * mounts. Returns 0, or the errno of the STEP_* that failed, which it writes with its detail.
 */
int made_sandbox_set_up (const struct make *make, uint32_t *step, uint32_t *detail);

#endif
