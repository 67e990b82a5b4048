/* How an init that has set up a sandbox becomes one that can do no more than its children. */
#ifndef RIGHTS_H
#define RIGHTS_H

#include "frames.h"

/* What is left of it. */
struct rest_of_rights
{
  const char *user_map;
  const char *group_map;
  const struct filter *filters;
  size_t filter_count;
};

/* A descriptor that rights_give_up() needs, of a /proc at `path` that nothing has been mounted upon yet; or -1 with errno. */
int rights_open_sysctls (int directory, const char *path);

/*
 * Moves into a user namespace of its own, to which neither the mounts nor the network belong, and in which there can be no
 * other; drops all capabilities, and installs the filters. Closes `sysctls`. Returns 0, or the errno of the STEP_* that
 * failed, which it writes with its detail.
 */
int rights_give_up (const struct rest_of_rights *rest, int sysctls, uint32_t *step, uint32_t *detail);

#endif
