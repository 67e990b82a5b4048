/* Looks after what all processes of the sandbox use together, where the kernel has no limit for that. */
#ifndef WATCH_H
#define WATCH_H

#include "frames.h"

#include <sys/types.h>

/*
 * Takes the limits of `launch` that are stricter than those before, and on the `first` launch its file systems in
 * memory. Whom they are for: everybody who is to be seen, or else what descends from this process. Returns 0, or the
 * errno of what can't be watched, with the index of the file system in `*detail`.
 */
int watch_take (const struct launch *launch, bool first, bool is_everybody_ours, uint32_t *detail);

/* Microseconds of a clock that only goes forward. */
uint64_t now (void);

/* Whether there is anything to look at. */
bool watch_is_on (void);

/*
 * Looks at all processes but this one, and `starting`, which still has this one's memory. Returns 0, or the EXIT_FLAG_*
 * of the limit that they are over; writes after how many microseconds to look again.
 */
uint32_t watch_look (pid_t starting, uint64_t *pause);

/* Whether a file system in memory has no room left. */
bool watch_is_tmpfs_full (void);

/*
 * What RLIMIT_NPROC of a child is to be: a little above the watched limit, so that it is the watch that ends what goes
 * over, and this only stops its growth until then. UNLIMITED where it would count processes outside of the sandbox.
 */
uint64_t watch_process_backstop (void);

/* Writes the descriptors that are to stay open. Returns how many, at most WATCH_MAX_DESCRIPTORS. */
size_t watch_descriptors (int *descriptors);

#define WATCH_MAX_DESCRIPTORS (1 + BOUND_MAX_TMPFS)

#endif
