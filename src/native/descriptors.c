#include "descriptors.h"

#include "numbers.h"
#include "system-call.h"

#include <fcntl.h>
#include <stdbool.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_CLOEXEC_FLAG 4u
#define MAX_DESCRIPTOR (1 << 20) /* fs.nr_open, unless somebody has changed it */

/* close_range() is Linux 5.9, its flag 5.11; emulators know less. */
static long
close_range_call (unsigned first, unsigned last, unsigned flags)
{
  return system_call (SYS_close_range, first, last, flags, 0);
}

struct walk
{
  void (*visit) (int fd, const struct walk *walk);
  const int *kept;
  size_t count;
  int directory; /* of the walk itself: not visited */
};

static bool
visit_number (int number, void *data)
{
  const struct walk *walk = data;

  if (number != walk->directory)
    walk->visit (number, walk);
  return true;
}

/* The way for old kernels: through /proc, or else through all numbers that can be. */
static void
walk_descriptors (struct walk *walk)
{
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

  walk->directory = (int) system_call (SYS_openat, AT_FDCWD, (long) "/proc/self/fd", flags, 0);
  if (walk->directory >= 0)
    {
      int result = each_number (walk->directory, visit_number, walk);

      system_call (SYS_close, walk->directory, 0, 0, 0);
      if (result == 0)
        return;
    }
  for (int fd = 0; fd < MAX_DESCRIPTOR; fd++)
    walk->visit (fd, walk);
}

static void
set_close_on_exec (int fd, const struct walk *walk)
{
  (void) walk;
  system_call (SYS_fcntl, fd, F_SETFD, FD_CLOEXEC, 0);
}

void
descriptors_close_on_exec (void)
{
  if (close_range_call (0, ~0u, CLOSE_RANGE_CLOEXEC_FLAG) != 0)
    walk_descriptors (&(struct walk){ .visit = set_close_on_exec });
}

static void
sort (int *numbers, size_t count)
{
  for (size_t i = 1; i < count; i++)
    for (size_t k = i; k > 0 && numbers[k - 1] > numbers[k]; k--)
      {
        int larger = numbers[k - 1];

        numbers[k - 1] = numbers[k];
        numbers[k] = larger;
      }
}

static void
close_unless_kept (int fd, const struct walk *walk)
{
  for (size_t i = 0; i < walk->count; i++)
    if (walk->kept[i] == fd)
      return;
  if (fd > 2)
    system_call (SYS_close, fd, 0, 0, 0);
}

void
descriptors_close_others (int *kept, size_t count)
{
  unsigned first = 3;
  bool failed = false;

  sort (kept, count);
  for (size_t i = 0; i < count; i++)
    {
      unsigned number = (unsigned) kept[i];

      if (number > first)
        failed |= close_range_call (first, number - 1, 0) != 0;
      if (number >= first)
        first = number + 1;
    }
  failed |= close_range_call (first, ~0u, 0) != 0;
  if (failed)
    walk_descriptors (&(struct walk){ .visit = close_unless_kept, .kept = kept, .count = count });
}
