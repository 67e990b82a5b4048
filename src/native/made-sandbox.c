#include "made-sandbox.h"

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

/* From linux/mount.h of Linux 5.2, and its calls, which have the same numbers everywhere. */
#ifndef SYS_fsopen
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#define FSOPEN_CLOEXEC_FLAG 1u
#define FSCONFIG_STRING 1u
#define FSCONFIG_CREATE 6u
#define FSMOUNT_CLOEXEC_FLAG 1u
#define MOVE_MOUNT_FROM_DESCRIPTOR 4u
#define PROC_ATTRIBUTES (2u | 4u | 8u) /* nosuid, nodev, noexec */

#define PROC_FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

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

static int
result_of (long result)
{
  return result < 0 ? errno : 0;
}

/* Returns a descriptor of a new /proc that is mounted nowhere yet, or -1 with errno. */
static int
new_proc (void)
{
  int context = (int) syscall (SYS_fsopen, "proc", FSOPEN_CLOEXEC_FLAG);
  int mounted = -1;
  int error;

  if (context < 0)
    return -1;
  /* the name that it has in /proc/mounts */
  syscall (SYS_fsconfig, context, FSCONFIG_STRING, "source", "proc", 0);
  if (syscall (SYS_fsconfig, context, FSCONFIG_CREATE, NULL, NULL, 0) == 0)
    mounted = (int) syscall (SYS_fsmount, context, FSMOUNT_CLOEXEC_FLAG, PROC_ATTRIBUTES);
  error = errno;
  close (context);
  errno = error;
  return mounted;
}

/*
 * Replaces what of the template's shows its own processes and terminals. The kernel lets a /proc be mounted as long as one is
 * to be seen that nothing is locked upon: so the new one is made before the old one goes.
 */
static int
replace_file_systems (void)
{
  int proc = new_proc ();
  int error;

  if (proc < 0)
    return errno;
  error = result_of (umount2 ("/proc", MNT_DETACH));
  if (error == 0)
    error = result_of (syscall (SYS_move_mount, proc, "", AT_FDCWD, "/proc", MOVE_MOUNT_FROM_DESCRIPTOR));
  close (proc);
  if (error == 0)
    error = result_of (umount2 ("/dev/pts", MNT_DETACH));
  if (error != 0)
    return error;
  return result_of (
    mount ("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"));
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
    error = result_of (syscall (SYS_move_mount, fd, "", AT_FDCWD, path, MOVE_MOUNT_FROM_DESCRIPTOR));
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
  if (mount (path, path, NULL, MS_BIND | MS_REC, NULL) != 0)
    return errno == ENOENT ? 0 : errno;
  return result_of (mount ("none", path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | PROC_FLAGS, NULL));
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

/*
 * Moves into a user namespace of its own, to which neither the mounts nor the network belong, and in which there can be no
 * other. `sysctls` is /proc/sys/user as it was before it was covered.
 */
static int
enter_user_namespace (const struct make *make, int sysctls)
{
  int error = result_of (unshare (CLONE_NEWUSER));

  if (error == 0)
    error = write_file (AT_FDCWD, "/proc/self/setgroups", "deny");
  if (error == 0)
    error = write_file (AT_FDCWD, "/proc/self/uid_map", make->user_map);
  if (error == 0)
    error = write_file (AT_FDCWD, "/proc/self/gid_map", make->group_map);
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

static int
set_up_mounts (const struct make *make, uint32_t *step, uint32_t *detail, int *sysctls)
{
  int error = replace_file_systems ();

  *step = STEP_FILE_SYSTEMS;
  if (error != 0)
    return error;
  *sysctls = open ("/proc/sys/user", O_PATH | O_DIRECTORY | O_CLOEXEC);
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

static int
give_up_rights (const struct make *make, uint32_t *step, uint32_t *detail, int sysctls)
{
  int error;

  *step = STEP_USER;
  *detail = 0;
  error = enter_user_namespace (make, sysctls);
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
  for (uint32_t i = 0; error == 0 && i < make->filter_count; i++)
    {
      *detail = i;
      error = install_filter (&make->filters[i]);
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
  error = give_up_rights (make, step, detail, sysctls);
  close (sysctls);
  return error;
}
