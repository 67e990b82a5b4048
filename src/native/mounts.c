#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/mount.h of Linux 5.12, and its calls, which have the same numbers everywhere. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#define FSOPEN_CLOEXEC_FLAG 1u
#define FSCONFIG_STRING 1u
#define FSCONFIG_CREATE 6u
#define FSMOUNT_CLOEXEC_FLAG 1u
#define TREE_CLONE 1u
#define TREE_CLOEXEC ((unsigned) O_CLOEXEC)
#define AT_EMPTY_PATH_FLAG 0x1000u
#define AT_RECURSIVE_FLAG 0x8000u
#define FROM_EMPTY_PATH 4u
#define TO_EMPTY_PATH 0x40u

struct attributes
{
  uint64_t set;
  uint64_t clear;
  uint64_t propagation;
  uint64_t user_namespace;
};

int
result_of (long result)
{
  return result < 0 ? errno : 0;
}

int
mounts_new_proc (void)
{
  const unsigned attributes = ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV | ATTRIBUTE_NOEXEC;
  int context = (int) syscall (SYS_fsopen, "proc", FSOPEN_CLOEXEC_FLAG);
  int mounted = -1;
  int error;

  if (context < 0)
    return -1;
  /* the name that it has in /proc/mounts */
  syscall (SYS_fsconfig, context, FSCONFIG_STRING, "source", "proc", 0);
  if (syscall (SYS_fsconfig, context, FSCONFIG_CREATE, NULL, NULL, 0) == 0)
    mounted = (int) syscall (SYS_fsmount, context, FSMOUNT_CLOEXEC_FLAG, attributes);
  error = errno;
  close (context);
  errno = error;
  return mounted;
}

int
mounts_copy (int directory, const char *path)
{
  const unsigned flags = TREE_CLONE | TREE_CLOEXEC | AT_RECURSIVE_FLAG | (*path == 0 ? AT_EMPTY_PATH_FLAG : 0);

  return (int) syscall (SYS_open_tree, directory, path, flags);
}

int
mounts_set (int fd, unsigned attributes, bool is_deep)
{
  const struct attributes change = { .set = attributes };
  const unsigned flags = AT_EMPTY_PATH_FLAG | (is_deep ? AT_RECURSIVE_FLAG : 0);

  return result_of (syscall (SYS_mount_setattr, fd, "", flags, &change, sizeof change));
}

int
mounts_move (int fd, int target)
{
  return result_of (syscall (SYS_move_mount, fd, "", target, "", FROM_EMPTY_PATH | TO_EMPTY_PATH));
}

int
mounts_cover (int place)
{
  int fd = mounts_copy (place, "");
  int error;

  if (fd < 0)
    return errno;
  error = mounts_set (fd, ATTRIBUTE_READ_ONLY | ATTRIBUTE_NOSUID | ATTRIBUTE_NODEV | ATTRIBUTE_NOEXEC, true);
  if (error == 0)
    error = mounts_move (fd, place);
  close (fd);
  return error;
}

int
mounts_new_terminals (const char *path)
{
  return result_of (mount ("devpts", path, "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"));
}
