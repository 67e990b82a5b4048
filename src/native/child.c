#include "child.h"

#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_NOT_STARTED 127

/* From linux/seccomp.h and linux/filter.h, which not every libc comes with. */
#define SECCOMP_SET_MODE_FILTER 1

struct filter_program
{
  unsigned short length;
  const void *instructions;
};

static volatile struct report *child_report;

static _Noreturn void
fail (uint32_t step, int error, size_t detail)
{
  child_report->reached = step;
  child_report->error = (uint32_t) error;
  child_report->detail = (uint32_t) detail;
  child_report->failed = 1;
  _exit (EXIT_NOT_STARTED);
}

static void
check_identities (const struct launch *launch)
{
  for (size_t i = 0; i < launch->identity_count; i++)
    {
      const struct identity *identity = &launch->identities[i];
      struct stat found;

      if (stat (identity->path, &found) != 0)
        fail (STEP_IDENTITY, errno, i);
      if (found.st_dev != identity->device || found.st_ino != identity->inode)
        fail (STEP_IDENTITY, 0, i);
    }
}

/*
 * The descriptor that a mapping means. What init opened itself is FD_CLOEXEC and what it inherited is not, because it
 * came through an execve(): so the flag tells them apart.
 */
static int
source_of (const struct mapping *mapping, const struct supply *supply, size_t index)
{
  int flags;

  if (mapping->origin == ORIGIN_RECEIVED)
    {
      if (mapping->source >= supply->received_count)
        fail (STEP_DESCRIPTOR, EBADF, index);
      return supply->received[mapping->source];
    }

  flags = mapping->source > INT_MAX ? -1 : fcntl ((int) mapping->source, F_GETFD);
  if (flags < 0 || (flags & FD_CLOEXEC) != 0)
    fail (STEP_DESCRIPTOR, EBADF, index);
  return (int) mapping->source;
}

/* Moves `fd` above `largest`, out of the way of the targets. */
static int
set_aside (int fd, int largest, size_t index)
{
  if (fd > largest)
    return fd;
  if (largest == INT_MAX)
    fail (STEP_DESCRIPTOR, EINVAL, index);
  fd = fcntl (fd, F_DUPFD_CLOEXEC, largest + 1);
  if (fd < 0)
    fail (STEP_DESCRIPTOR, errno, index);
  return fd;
}

static void
map_descriptors (const struct launch *launch, const struct supply *supply)
{
  static int sources[BOUND_MAX_DESCRIPTORS];
  bool is_mapped[3] = { false, false, false };
  size_t largest_index = 0;
  int largest = 2;
  int null;

  for (size_t i = 0; i < launch->mapping_count; i++)
    {
      uint32_t target = launch->mappings[i].target;

      if (target > INT_MAX)
        fail (STEP_DESCRIPTOR, EBADF, i);
      if ((int) target > largest)
        {
          largest = (int) target;
          largest_index = i;
        }
      sources[i] = source_of (&launch->mappings[i], supply, i);
    }

  descriptors_close_on_exec ();

  (void) set_aside (supply->liveness, largest, largest_index);
  null = set_aside (supply->null, largest, largest_index);
  for (size_t i = 0; i < launch->mapping_count; i++)
    sources[i] = set_aside (sources[i], largest, i);

  for (size_t i = 0; i < launch->mapping_count; i++)
    {
      int target = (int) launch->mappings[i].target;

      if (dup2 (sources[i], target) < 0)
        fail (STEP_DESCRIPTOR, errno, i);
      if (target < 3)
        is_mapped[target] = true;
    }
  for (int target = 0; target < 3; target++)
    if (!is_mapped[target] && dup2 (null, target) < 0)
      fail (STEP_DESCRIPTOR, errno, 0);
}

static void
set_limits (const struct launch *launch)
{
  for (size_t i = 0; i < launch->limit_count; i++)
    {
      const struct limit *limit = &launch->limits[i];
      uint64_t values[2] = { limit->soft, limit->hard }; /* struct rlimit64; RLIM64_INFINITY is all bits set too */

      if (syscall (SYS_prlimit64, 0, limit->resource, values, NULL) != 0)
        fail (STEP_LIMIT, errno, i);
    }
}

static void
unblock_signals (void)
{
  sigset_t none;

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
}

static void
set_filters (const struct launch *launch)
{
  for (size_t i = 0; i < launch->filter_count; i++)
    {
      struct filter_program program = { launch->filters[i].length, launch->filters[i].instructions };

      if (syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        fail (STEP_FILTER, errno, i);
    }
}

/* As the shell does with a text file without `#!`. Returns only if it fails. */
static void
execute_script (const char *path, const struct launch *launch)
{
  char **arguments = launch->arguments - 1;
  char *name = arguments[1];

  arguments[0] = (char *) "/bin/sh";
  arguments[1] = (char *) path;
  execve (arguments[0], arguments, launch->variables);
  arguments[1] = name;
}

static void
execute (const char *path, const struct launch *launch)
{
  execve (path, launch->arguments, launch->variables);
  if (errno == ENOEXEC)
    execute_script (path, launch);
}

/* Writes DIRECTORY/NAME, or NAME if the directory is empty, which means the working directory. */
static bool
join (char path[PATH_MAX], const char *directory, size_t directory_length, const char *name)
{
  size_t name_length = strlen (name);
  size_t slash = directory_length > 0 ? 1 : 0;

  if (name_length >= PATH_MAX || directory_length >= PATH_MAX - name_length - slash)
    return false;
  memcpy (path, directory, directory_length);
  if (slash > 0)
    path[directory_length] = '/';
  memcpy (path + directory_length + slash, name, name_length + 1);
  return true;
}

/* Whether the search goes on after this error, by the rule of g_execute() (glib/gspawn.c). */
static bool
is_not_here (int error)
{
  return error == ENOENT || error == ENOTDIR || error == ESTALE || error == ENODEV || error == ETIMEDOUT
         || error == EACCES;
}

static void
search (const struct launch *launch)
{
  static char path[PATH_MAX];
  const char *directory = launch->search_path;
  bool was_denied = false;

  for (;;)
    {
      size_t length = strcspn (directory, ":");

      if (!join (path, directory, length, launch->arguments[0]))
        errno = ENAMETOOLONG;
      else
        execute (path, launch);
      if (!is_not_here (errno))
        return;
      was_denied |= errno == EACCES;
      if (directory[length] == 0)
        break;
      directory += length + 1;
    }
  if (was_denied)
    errno = EACCES;
}

_Noreturn void
child_run (struct launch *launch, const struct supply *supply, volatile struct report *report)
{
  child_report = report;
  setsid ();

  report->reached = STEP_IDENTITY;
  check_identities (launch);

  report->reached = STEP_DIRECTORY;
  if (chdir (launch->directory) != 0)
    fail (STEP_DIRECTORY, errno, 0);

  report->reached = STEP_DESCRIPTOR;
  map_descriptors (launch, supply);

  report->reached = STEP_LIMIT;
  set_limits (launch);

  report->reached = STEP_NO_NEW_PRIVILEGES;
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    fail (STEP_NO_NEW_PRIVILEGES, errno, 0);

  unblock_signals ();
  report->reached = STEP_FILTER;
  set_filters (launch);

  report->reached = STEP_EXEC;
  if (launch->search_path == NULL || strchr (launch->arguments[0], '/') != NULL)
    execute (launch->arguments[0], launch);
  else
    search (launch);
  fail (STEP_EXEC, errno, 0);
}
