/* Makes a root directory for the sandbox that this process is the first of. */
#ifndef FURNISH_H
#define FURNISH_H

#include "frames.h"

/*
 * Makes it of what is in the root directory that there is, moves into it, and gives up all rights. Returns 0, or the errno of
 * the STEP_* that failed, which it writes with its detail.
 */
int furnish_root (const struct furnish *furnish, uint32_t *step, uint32_t *detail);

#endif
