#include "child.h"

#include "descriptors.h"
#include "system-call.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define EXIT_NOT_STARTED 127

/* From linux/seccomp.h and linux/filter.h, which not every libc comes with. */
#define SECCOMP_SET_MODE_FILTER 1

struct filter_program
{
  unsigned short length;
  const void *instructions;
};

#define LANDLOCK_RESTRICT_SELF 446

static volatile struct report *child_report;

/* `result` is that of the failed system call: its negative errno. */
static _Noreturn void
fail (uint32_t step, long result, size_t detail)
{
  child_report->reached = step;
  child_report->error = (uint32_t) -result;
  child_report->detail = (uint32_t) detail;
  child_report->failed = 1;
  for (;;)
    system_call (SYS_exit_group, EXIT_NOT_STARTED, 0, 0, 0);
}

static void
check_identities (const struct launch *launch)
{
  for (size_t i = 0; i < launch->identity_count; i++)
    {
      const struct identity *identity = &launch->identities[i];
      struct stat found; /* on the architectures that we run on, as the kernel has it */
      long result = system_call (SYS_newfstatat, AT_FDCWD, (long) identity->path, (long) &found, 0);

      if (result < 0)
        fail (STEP_IDENTITY, result, i);
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
  long flags;

  if (mapping->origin == ORIGIN_RECEIVED)
    {
      if (mapping->source >= supply->received_count)
        fail (STEP_DESCRIPTOR, -EBADF, index);
      return supply->received[mapping->source];
    }

  flags = mapping->source > INT_MAX ? -EBADF : system_call (SYS_fcntl, mapping->source, F_GETFD, 0, 0);
  if (flags < 0 || (flags & FD_CLOEXEC) != 0)
    fail (STEP_DESCRIPTOR, -EBADF, index);
  return (int) mapping->source;
}

/*
 * Moves `fd` above `largest`, out of the way of the targets. EINVAL is fcntl()'s word for a number that no descriptor can
 * have.
 */
static int
set_aside (int fd, int largest, size_t index)
{
  long moved;

  if (fd > largest)
    return fd;
  if (largest == INT_MAX)
    fail (STEP_DESCRIPTOR, -EBADF, index);
  moved = system_call (SYS_fcntl, fd, F_DUPFD_CLOEXEC, largest + 1, 0);
  if (moved < 0)
    fail (STEP_DESCRIPTOR, moved == -EINVAL ? -EBADF : moved, index);
  return (int) moved;
}

/* Gives the child `source` as `target`, which is another number. */
static void
duplicate (int source, int target, size_t index)
{
  long result = system_call (SYS_dup3, source, target, 0, 0);

  if (result < 0)
    fail (STEP_DESCRIPTOR, result, index);
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
        fail (STEP_DESCRIPTOR, -EBADF, i);
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

      duplicate (sources[i], target, i);
      if (target < 3)
        is_mapped[target] = true;
    }
  for (int target = 0; target < 3; target++)
    if (!is_mapped[target])
      duplicate (null, target, 0);
}

static void
set_limit (const struct limit *limit, size_t index)
{
  uint64_t values[2] = { limit->soft, limit->hard }; /* struct rlimit64; RLIM64_INFINITY is all bits set too */
  uint64_t own[2];
  long result = system_call (SYS_prlimit64, 0, limit->resource, 0, (long) own);

  if (result < 0)
    fail (STEP_LIMIT, result, index);
  /* nobody may raise a hard limit; a stricter one that is there already is kept */
  for (int i = 0; i < 2; i++)
    if (values[i] > own[1])
      values[i] = own[1];
  result = system_call (SYS_prlimit64, 0, limit->resource, (long) values, 0);
  if (result < 0)
    fail (STEP_LIMIT, result, index);
}

static void
set_limits (const struct launch *launch, uint64_t process_backstop)
{
  const struct limit backstop = { RLIMIT_NPROC, process_backstop, process_backstop };

  for (size_t i = 0; i < launch->limit_count; i++)
    set_limit (&launch->limits[i], i);
  if (process_backstop != UNLIMITED)
    set_limit (&backstop, launch->limit_count);
}

static void
rule_out_privileges (void)
{
  long result = system_call (SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0);

  if (result < 0)
    fail (STEP_NO_NEW_PRIVILEGES, result, 0);
}

/* The kernel lets only those do that who can have no new privileges. */
static void
submit_to_ruleset (int ruleset)
{
  long result;

  if (ruleset < 0)
    return;
  rule_out_privileges ();
  result = system_call (LANDLOCK_RESTRICT_SELF, ruleset, 0, 0, 0);
  if (result < 0)
    fail (STEP_NO_NEW_PRIVILEGES, result, 0);
}

static void
unblock_signals (void)
{
  uint64_t none = 0;

  system_call (SYS_rt_sigprocmask, SIG_SETMASK, (long) &none, 0, sizeof none);
}

static void
set_filters (const struct launch *launch)
{
  for (size_t i = 0; i < launch->filter_count; i++)
    {
      struct filter_program program = { launch->filters[i].length, launch->filters[i].instructions };
      long result = system_call (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long) &program, 0);

      if (result < 0)
        fail (STEP_FILTER, result, i);
    }
}

/* The negative errno of an execve(), if it returns at all. */
static long
call_execve (const char *path, const struct launch *launch, char **arguments)
{
  return system_call (SYS_execve, (long) path, (long) arguments, (long) launch->variables, 0);
}

/* As the shell does with a text file without `#!`. */
static long
execute_script (const char *path, const struct launch *launch)
{
  char **arguments = launch->arguments - 1;
  char *name = arguments[1];
  long result;

  arguments[0] = (char *) "/bin/sh";
  arguments[1] = (char *) path;
  result = call_execve (arguments[0], launch, arguments);
  arguments[1] = name;
  return result;
}

static long
execute (const char *path, const struct launch *launch)
{
  long result = call_execve (path, launch, launch->arguments);

  return result == -ENOEXEC ? execute_script (path, launch) : result;
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
is_not_here (long result)
{
  return result == -ENOENT || result == -ENOTDIR || result == -ESTALE || result == -ENODEV || result == -ETIMEDOUT
         || result == -EACCES;
}

static long
search (const struct launch *launch)
{
  static char path[PATH_MAX];
  const char *directory = launch->search_path;
  bool was_denied = false;

  for (;;)
    {
      size_t length = strcspn (directory, ":");
      long result = -ENAMETOOLONG;

      if (join (path, directory, length, launch->arguments[0]))
        result = execute (path, launch);
      if (!is_not_here (result))
        return result;
      was_denied |= result == -EACCES;
      if (directory[length] == 0)
        return was_denied ? -EACCES : result;
      directory += length + 1;
    }
}

_Noreturn void
child_run (struct launch *launch, const struct supply *supply, volatile struct report *report)
{
  long result;

  child_report = report;
  system_call (SYS_setsid, 0, 0, 0, 0);

  report->reached = STEP_IDENTITY;
  check_identities (launch);

  report->reached = STEP_DIRECTORY;
  result = system_call (SYS_chdir, (long) launch->directory, 0, 0, 0);
  if (result < 0)
    fail (STEP_DIRECTORY, result, 0);

  /* while its descriptor is what it was */
  report->reached = STEP_NO_NEW_PRIVILEGES;
  submit_to_ruleset (supply->ruleset);

  report->reached = STEP_DESCRIPTOR;
  map_descriptors (launch, supply);

  report->reached = STEP_LIMIT;
  set_limits (launch, supply->process_backstop);

  report->reached = STEP_NO_NEW_PRIVILEGES;
  rule_out_privileges ();

  unblock_signals ();
  report->reached = STEP_FILTER;
  set_filters (launch);

  report->reached = STEP_EXEC;
  if (launch->search_path == NULL || strchr (launch->arguments[0], '/') != NULL)
    result = execute (launch->arguments[0], launch);
  else
    result = search (launch);
  fail (STEP_EXEC, result, 0);
}
