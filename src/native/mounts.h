/* What is mounted in a sandbox that is being set up. All of it needs CAP_SYS_ADMIN; errors are those of the calls. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>

/* From linux/mount.h, which not every libc comes with. */
#define ATTRIBUTE_READ_ONLY 1u
#define ATTRIBUTE_NOSUID 2u
#define ATTRIBUTE_NODEV 4u
#define ATTRIBUTE_NOEXEC 8u

/* Returns 0, or errno if `result` is negative. */
int result_of (long result);

/* Returns a descriptor of a /proc for this pid namespace that is mounted nowhere yet, or -1 with errno. */
int mounts_new_proc (void);

/* Returns a descriptor of what `path` below `directory` and all that is mounted below it would be elsewhere, or -1 with errno. */
int mounts_copy (int directory, const char *path);

/* Sets attributes of what a descriptor is the root of, and if `is_deep` of all that is mounted below it. */
int mounts_set (int fd, unsigned attributes, bool is_deep);

/* Mounts what `fd` is the root of upon what `target` is open for. */
int mounts_move (int fd, int target);

/* Has what `place` is open for, and what is mounted below it, only be read: by another mount of it upon itself. */
int mounts_cover (int place);

/* Mounts terminals of its own. */
int mounts_new_terminals (const char *path);

#endif
