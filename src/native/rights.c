#include "rights.h"

#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/capability.h, linux/filter.h and linux/seccomp.h, which not every libc comes with. */
#define CAPABILITY_VERSION_3 0x20080522
#define SECCOMP_SET_MODE_FILTER 1

struct capability_header
{
  uint32_t version;
  int pid;
};

struct capability_data
{
  uint32_t effective;
  uint32_t permitted;
  uint32_t inheritable;
};

struct filter_program
{
  unsigned short length;
  const void *instructions;
};

int
rights_open_sysctls (int directory, const char *path)
{
  return openat (directory, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int
write_file (int directory, const char *path, const char *text)
{
  int fd = openat (directory, path, O_WRONLY | O_CLOEXEC);
  ssize_t written;
  int error;

  if (fd < 0)
    return errno;
  written = write (fd, text, strlen (text));
  error = result_of (written);
  close (fd);
  return error;
}

static int
enter_user_namespace (const struct rest_of_rights *rest, int sysctls)
{
  int error = result_of (unshare (CLONE_NEWUSER));

  if (error == 0)
    error = write_file (AT_FDCWD, "/proc/self/setgroups", "deny");
  if (error == 0)
    error = write_file (AT_FDCWD, "/proc/self/uid_map", rest->user_map);
  if (error == 0)
    error = write_file (AT_FDCWD, "/proc/self/gid_map", rest->group_map);
  if (error == 0)
    error = write_file (sysctls, "max_user_namespaces", "0");
  if (error == 0 && unshare (CLONE_NEWUSER) == 0)
    error = EPERM;
  return error;
}

static int
drop_capabilities (void)
{
  struct capability_header header = { .version = CAPABILITY_VERSION_3 };
  const struct capability_data none[2] = { { 0 }, { 0 } };

  /* EINVAL is the answer for the first that the kernel does not know */
  for (unsigned long capability = 0; prctl (PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++)
    continue;
  if (errno != EINVAL)
    return errno;
  if (prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
    return errno;
  return result_of (syscall (SYS_capset, &header, none));
}

static int
install_filter (const struct filter *filter)
{
  const struct filter_program program = { filter->length, filter->instructions };

  return result_of (syscall (SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

int
rights_give_up (const struct rest_of_rights *rest, int sysctls, uint32_t *step, uint32_t *detail)
{
  int error;

  *step = STEP_USER;
  *detail = 0;
  error = enter_user_namespace (rest, sysctls);
  close (sysctls);
  if (error != 0)
    return error;
  *step = STEP_CAPABILITIES;
  error = drop_capabilities ();
  if (error != 0)
    return error;
  /* what the change of credentials may have undone: see main() */
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

  *step = STEP_FILTER;
  for (uint32_t i = 0; error == 0 && i < rest->filter_count; i++)
    {
      *detail = i;
      error = install_filter (&rest->filters[i]);
    }
  return error;
}
