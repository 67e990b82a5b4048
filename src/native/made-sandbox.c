#include "made-sandbox.h"

#include "mounts.h"
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

pid_t
made_sandbox_fork (const struct make *make)
{
  unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWCGROUP | SIGCHLD;

  if ((make->namespaces & NAMESPACE_FLAG_NETWORK) != 0)
    flags |= CLONE_NEWNET;
  if ((make->namespaces & NAMESPACE_FLAG_IPC) != 0)
    flags |= CLONE_NEWIPC;
  /* the order of the arguments differs between architectures: they are all 0 */
  return (pid_t) syscall (SYS_clone, flags, 0, 0, 0, 0);
}

/*
 * Replaces what of the template's shows its own processes and terminals. The kernel lets a /proc be mounted as long as one is
 * to be seen that nothing is locked upon: so the new one is made before the old one goes.
 */
static int
replace_file_systems (void)
{
  int proc = mounts_new_proc ();
  int place;
  int error;

  if (proc < 0)
    return errno;
  error = result_of (umount2 ("/proc", MNT_DETACH));
  place = open ("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (error == 0)
    error = place < 0 ? errno : mounts_move (proc, place);
  close (place);
  close (proc);
  if (error == 0)
    error = result_of (umount2 ("/dev/pts", MNT_DETACH));
  return error != 0 ? error : mounts_new_terminals ("/dev/pts");
}

static int
mount_private (const struct private_directory *directory)
{
  return result_of (mount ("tmpfs", directory->path, "tmpfs", MS_NOSUID | MS_NODEV, directory->options));
}

/* Creates what something can be mounted upon, a directory or a file, and the directories above it. */
static int
make_mount_point (const char *path, bool is_directory)
{
  char prefix[PATH_MAX];
  size_t length = strlen (path);
  int fd;

  if (length >= sizeof prefix)
    return ENAMETOOLONG;
  for (size_t i = 1; i < length; i++)
    if (path[i] == '/')
      {
        memcpy (prefix, path, i);
        prefix[i] = 0;
        if (mkdir (prefix, 0755) != 0 && errno != EEXIST)
          return errno;
      }
  if (is_directory)
    return mkdir (path, 0755) == 0 || errno == EEXIST ? 0 : errno;
  fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0)
    return errno;
  close (fd);
  return 0;
}

/* Moves what is mounted elsewhere, which `fd` is the root of, to a path below a private directory. */
static int
carry (int fd, const char *path)
{
  struct stat root;
  int error = result_of (fstat (fd, &root));

  if (error == 0)
    error = make_mount_point (path, S_ISDIR (root.st_mode));
  if (error == 0)
    {
      int place = open (path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

      error = place < 0 ? errno : mounts_move (fd, place);
      close (place);
    }
  return error;
}

/* Mounts the private directories. What lies upon the template's in those is taken along: it would be hidden by them. */
static int
mount_privates (const struct make *make, uint32_t *step, uint32_t *detail)
{
  int carried[BOUND_MAX_CARRIED];
  mode_t mask = umask (0);
  int error = 0;

  *step = STEP_CARRIED;
  for (uint32_t i = 0; i < make->carried_count; i++)
    {
      *detail = i;
      carried[i] = open (make->carried[i], O_PATH | O_NOFOLLOW | O_CLOEXEC);
      if (carried[i] < 0)
        return errno;
    }
  *step = STEP_PRIVATE;
  for (uint32_t i = 0; error == 0 && i < make->private_count; i++)
    {
      *detail = i;
      error = mount_private (&make->privates[i]);
    }
  if (error != 0)
    return error;
  *step = STEP_CARRIED;
  for (uint32_t i = 0; error == 0 && i < make->carried_count; i++)
    {
      *detail = i;
      error = carry (carried[i], make->carried[i]);
      close (carried[i]);
    }
  umask (mask);
  return error;
}

/* What is not there need not be covered. */
static int
cover (const char *path)
{
  int place = open (path, O_PATH | O_CLOEXEC);
  int error;

  if (place < 0)
    return errno == ENOENT ? 0 : errno;
  error = mounts_cover (place);
  close (place);
  return error;
}

/* Has the loopback device work. The kernel gives it its addresses. */
static int
raise_loopback (void)
{
  struct ifreq request = { .ifr_name = "lo" };
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int error;

  if (fd < 0)
    return errno;
  request.ifr_flags = IFF_UP;
  error = result_of (ioctl (fd, SIOCSIFFLAGS, &request));
  close (fd);
  return error;
}

static int
set_up_mounts (const struct make *make, uint32_t *step, uint32_t *detail, int *sysctls)
{
  int error = replace_file_systems ();

  *step = STEP_FILE_SYSTEMS;
  if (error != 0)
    return error;
  *sysctls = rights_open_sysctls (AT_FDCWD, "/proc/sys/user");
  if (*sysctls < 0)
    return errno;

  error = mount_privates (make, step, detail);
  if (error != 0)
    return error;
  *step = STEP_COVER;
  for (uint32_t i = 0; error == 0 && i < make->cover_count; i++)
    {
      *detail = i;
      error = cover (make->covers[i]);
    }
  return error;
}

int
made_sandbox_set_up (const struct make *make, uint32_t *step, uint32_t *detail)
{
  int sysctls = -1;
  int error;

  *detail = 0;
  setsid ();
  error = set_up_mounts (make, step, detail, &sysctls);
  if (error != 0)
    return error;
  if ((make->namespaces & NAMESPACE_FLAG_NETWORK) != 0)
    {
      *step = STEP_NETWORK;
      *detail = 0;
      error = raise_loopback ();
      if (error != 0)
        return error;
    }
  return rights_give_up (&(struct rest_of_rights){ make->user_map, make->group_map, make->filters, make->filter_count },
                         sysctls, step, detail);
}
