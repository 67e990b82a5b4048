#include "furnish.h"

#include "mounts.h"
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From linux/openat2.h, which not every libc comes with. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define WITHIN_ROOT (0x02u | 0x10u) /* RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT */

struct way_to_open
{
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

#define NO_DETAIL UINT32_MAX
#define NEW_ROOT "/.new-root"

static int root;    /* the new one */
static int sysctls; /* see rights_open_sysctls() */

/* Returns a descriptor of a path below the new root directory, wherever links lead from there, or -1 with errno. */
static int
open_path (const char *path, unsigned flags)
{
  const struct way_to_open way = { .flags = O_PATH | O_CLOEXEC | flags, .resolve = WITHIN_ROOT };

  return (int) syscall (SYS_openat2, root, path, &way, sizeof way);
}

/* Opens the first `length` bytes of a path, and makes what is missing of it. Returns -1 with errno. */
static int
open_directory (const char *path, size_t length)
{
  char prefix[PATH_MAX];
  int directory;

  if (length >= sizeof prefix)
    {
      errno = ENAMETOOLONG;
      return -1;
    }
  memcpy (prefix, path, length);
  prefix[length] = 0;
  directory = open_path (length == 0 ? "/" : prefix, O_DIRECTORY);
  if (directory < 0 && errno == ENOENT && length > 0)
    {
      const char *name = strrchr (prefix, '/') + 1;
      int above = open_directory (path, (size_t) (name - 1 - prefix));

      if (above < 0)
        return -1;
      if (mkdirat (above, name, 0755) == 0 || errno == EEXIST)
        directory = open_path (prefix, O_DIRECTORY);
      close (above);
    }
  return directory;
}

/* Opens the directory that a path is in, and writes what the path is called there. Returns -1 with errno. */
static int
open_parent (const char *path, const char **name)
{
  *name = strrchr (path, '/') + 1;
  return open_directory (path, (size_t) (*name - 1 - path));
}

static int
write_all (int fd, const uint8_t *bytes, size_t length)
{
  while (length > 0)
    {
      ssize_t written = write (fd, bytes, length);

      if (written < 0)
        return errno;
      bytes += written;
      length -= (size_t) written;
    }
  return 0;
}

static int
make_file (int parent, const char *name, const struct operation *operation)
{
  int fd = openat (parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, operation->mode);
  int error;

  if (fd < 0)
    return errno;
  error = write_all (fd, operation->bytes, operation->length);
  close (fd);
  return error;
}

/* Does what makes a new name in a directory. */
static int
make_entry (const struct operation *operation)
{
  const char *name;
  int parent = open_parent (operation->path, &name);
  int error = 0;

  if (parent < 0)
    return errno;
  if (operation->operation == OPERATION_FILE)
    error = make_file (parent, name, operation);
  else if (operation->operation == OPERATION_SYMLINK)
    error = result_of (symlinkat ((const char *) operation->bytes, parent, name));
  else if (mkdirat (parent, name, operation->mode) != 0 && errno != EEXIST)
    error = errno;
  close (parent);
  return error;
}

/* Returns a descriptor of something to mount upon, a directory or a file, which is made if it is missing; or -1 with errno. */
static int
open_mount_point (const char *path, bool is_directory)
{
  const struct operation file = { .operation = OPERATION_FILE, .mode = 0444, .path = path };
  int error;

  if (is_directory)
    return open_directory (path, path[1] == 0 ? 0 : strlen (path));
  error = make_entry (&file);
  if (error == 0 || error == EEXIST || error == ELOOP)
    return open_path (path, 0);
  errno = error;
  return -1;
}

/* Mounts what `fd` is the root of, and closes that. */
static int
place (int fd, const char *path, bool is_directory)
{
  int target = open_mount_point (path, is_directory);
  int error = target < 0 ? errno : mounts_move (fd, target);

  close (target);
  close (fd);
  return error;
}

static int
bind (const struct operation *operation)
{
  const bool is_optional = (operation->mode & BIND_FLAG_OPTIONAL) != 0;
  struct stat status;
  unsigned attributes = ATTRIBUTE_NOSUID;
  int fd = mounts_copy (AT_FDCWD, (const char *) operation->bytes);
  int error;

  if (fd < 0)
    return is_optional && errno == ENOENT ? 0 : errno;
  if ((operation->mode & BIND_FLAG_DEVICES) == 0)
    attributes |= ATTRIBUTE_NODEV;
  if ((operation->mode & BIND_FLAG_READ_ONLY) != 0)
    attributes |= ATTRIBUTE_READ_ONLY;
  error = mounts_set (fd, attributes, true);
  if (error == 0)
    error = result_of (fstat (fd, &status));
  if (error == 0)
    return place (fd, operation->path, S_ISDIR (status.st_mode));
  close (fd);
  return error;
}

/* The name of a descriptor, which needs a /proc in the old root directory. */
static void
name_descriptor (char name[32], int fd)
{
  char digits[12];
  size_t count = 0;
  size_t length = strlen (strcpy (name, "/proc/self/fd/"));

  do
    digits[count++] = (char) ('0' + fd % 10);
  while ((fd /= 10) > 0);
  while (count > 0)
    name[length++] = digits[--count];
  name[length] = 0;
}

static int
mount_new (const struct operation *operation)
{
  char name[32];
  int target = open_mount_point (operation->path, true);
  int error;

  if (target < 0)
    return errno;
  name_descriptor (name, target);
  if (operation->operation == OPERATION_TMPFS)
    error = result_of (mount ("tmpfs", name, "tmpfs", MS_NOSUID | MS_NODEV, (const char *) operation->bytes));
  else
    error = mounts_new_terminals (name);
  close (target);
  return error;
}

static int
mount_proc (const struct operation *operation)
{
  int fd = mounts_new_proc ();
  int inside;

  if (fd < 0)
    return errno;
  inside = rights_open_sysctls (fd, "sys/user");
  if (inside < 0)
    {
      int error = errno;

      close (fd);
      return error;
    }
  if (sysctls >= 0)
    close (sysctls);
  sysctls = inside;
  return place (fd, operation->path, true);
}

/* What is not there need not be covered. */
static int
cover (const struct operation *operation)
{
  int target = open_path (operation->path, 0);
  int error;

  if (target < 0)
    return errno == ENOENT ? 0 : errno;
  error = mounts_cover (target);
  close (target);
  return error;
}

static int
make_read_only (const struct operation *operation)
{
  int fd = open_path (operation->path, 0);
  int error = fd < 0 ? errno : mounts_set (fd, ATTRIBUTE_READ_ONLY, false);

  close (fd);
  return error;
}

static int
perform (const struct operation *operation)
{
  switch (operation->operation)
    {
    case OPERATION_BIND:
      return bind (operation);
    case OPERATION_TMPFS:
    case OPERATION_DEVPTS:
      return mount_new (operation);
    case OPERATION_PROC:
      return mount_proc (operation);
    case OPERATION_COVER:
      return cover (operation);
    case OPERATION_READ_ONLY:
      return make_read_only (operation);
    default:
      return make_entry (operation);
    }
}

static int
begin_root (void)
{
  int error = result_of (mkdir (NEW_ROOT, 0755));

  if (error == 0)
    error = result_of (mount ("tmpfs", NEW_ROOT, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"));
  if (error == 0)
    {
      root = open (NEW_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
      error = result_of (root);
    }
  return error;
}

/* The old root directory comes to lie upon the new one, and goes: pivot_root(2). */
static int
enter_root (void)
{
  int error = result_of (fchdir (root));

  if (error == 0)
    error = result_of (syscall (SYS_pivot_root, ".", "."));
  if (error == 0)
    error = result_of (umount2 (".", MNT_DETACH));
  if (error == 0)
    error = result_of (chdir ("/"));
  close (root);
  return error;
}

int
furnish_root (const struct furnish *furnish, uint32_t *step, uint32_t *detail)
{
  mode_t mask = umask (0);
  int error;

  sysctls = -1;
  *step = STEP_FURNISH;
  *detail = NO_DETAIL;
  error = begin_root ();
  for (uint32_t i = 0; error == 0 && i < furnish->operation_count; i++)
    {
      *detail = i;
      error = perform (&furnish->operations[i]);
    }
  if (error != 0)
    return error;
  *detail = NO_DETAIL;
  error = sysctls < 0 ? EINVAL : enter_root ();
  umask (mask);
  if (error != 0)
    return error;
  return rights_give_up (
    &(struct rest_of_rights){ furnish->user_map, furnish->group_map, furnish->filters, furnish->filter_count }, sysctls,
    step, detail);
}
