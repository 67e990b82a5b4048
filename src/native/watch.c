#include "watch.h"

#include "descendants.h"
#include "numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KCMP_OF_MEMORY 1 /* KCMP_VM of linux/kcmp.h */

/* From linux/magic.h */
#define PROC_MAGIC 0x9fa0
#define TMPFS_MAGIC 0x01021994

/* How long nothing is looked at: what a process at least needs to take what is left, in microseconds. */
#define BYTES_A_MICROSECOND 4096
#define MICROSECONDS_A_FORK 20
#define SHORTEST_PAUSE 5000
#define LONGEST_PAUSE 50000

/* What the kernel keeps for a thread, or for a file in memory, besides its pages; on the low side. */
#define THREAD_COST (24 * 1024)
#define INODE_COST 1024

/* Descriptors that one look goes through, to find files in memory that have no name. */
#define MAX_DESCRIPTORS_SEEN 16384
#define MAX_FILES_SEEN 4096 /* a power of two */

/* /proc/PID/status has a line with all groups of the user: this is enough for more than two thousand. */
#define MAX_STATUS 16384

#define BACKSTOP_MARGIN 16

/*
 * How long a precise look may take, in microseconds, and how many bytes of page tables' worth it may take one more for. It
 * has to wait for a process that maps memory or forks at this moment, and may not even run: so another process looks, and
 * if it is not done in time, the rough look counts.
 */
#define PRECISE_TIME 250000
#define PRECISE_BYTES_A_MICROSECOND 10000
#define PRECISE_PAUSE 20 /* milliseconds */

/* What is seen of the sandbox in one look: bytes, but for the first. */
struct use
{
  uint64_t tasks;
  uint64_t kernel;       /* what the kernel keeps for processes */
  uint64_t private;      /* pages that belong to one process, or to some after a fork */
  uint64_t mapped_files; /* pages of files in memory that processes have mapped */
  uint64_t files;        /* pages of files in memory that can be found otherwise */
};

struct look
{
  pid_t starting;
  pid_t self; /* the process that takes the precise look, or 0 */
  enum
  {
    ROUGH,   /* a page that several processes have counts for each */
    PRECISE, /* it counts once; takes longer */
    SURE,    /* only what the kernel keeps for processes: nothing of that is in common */
  } kind;
  size_t descriptors_seen;
  struct use use;
};

static struct watch limits = { UNLIMITED, UNLIMITED, false };
static int proc = -1;
static pid_t init;
static bool everybody; /* what is to be seen is of the sandbox; else only what descends from init is */
static int tmpfs[BOUND_MAX_TMPFS];
static size_t tmpfs_count;
static bool knows_memory_files;
static dev_t memory_files; /* st_dev of files that memfd_create() makes */
static char text[MAX_STATUS + 1];
static ino_t files_seen[MAX_FILES_SEEN];

uint64_t
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (uint64_t) time.tv_sec * 1000000 + (uint64_t) time.tv_nsec / 1000;
}

/* Reads a file of a process into `text`. */
static bool
read_file (int pid, const char *suffix)
{
  char path[48];
  size_t length = 0;
  ssize_t count;
  int fd;

  write_number (path, (unsigned) pid, suffix);
  fd = openat (proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  while (length < MAX_STATUS && (count = read (fd, text + length, MAX_STATUS - length)) > 0)
    length += (size_t) count;
  close (fd);
  text[length] = 0;
  return length > 0;
}

/* Finds the number in the line that begins with `name`, a newline before it. No process can write a newline in there. */
static bool
find_number (const char *name, uint64_t *number)
{
  const char *line = strstr (text, name);

  if (line == NULL)
    return false;
  *number = strtoull (line + strlen (name), NULL, 10);
  return true;
}

static uint64_t
kibibytes (const char *name)
{
  uint64_t number;

  return find_number (name, &number) ? number * 1024 : 0;
}

/* A file that is mapped is found both ways: the larger sum has them all, or nearly. */
static uint64_t
memory_of (const struct use *use)
{
  return use->kernel + use->private + (use->files > use->mapped_files ? use->files : use->mapped_files);
}

static uint32_t
exceeded_by (const struct use *use)
{
  if (use->tasks > limits.processes)
    return EXIT_FLAG_PROCESSES;
  return memory_of (use) > limits.memory ? EXIT_FLAG_MEMORY : 0;
}

/* Whether a file was not seen in this look before. A full table has seen nothing: what is counted twice is safe. */
static bool
is_new_file (ino_t inode)
{
  size_t place = inode * 0x9e3779b97f4a7c15u >> 32;

  if (inode == 0)
    return true;
  for (size_t i = 0; i < 64; i++)
    {
      ino_t *seen = &files_seen[(place + i) % MAX_FILES_SEEN];

      if (*seen == inode)
        return false;
      if (*seen == 0)
        {
          *seen = inode;
          return true;
        }
    }
  return true;
}

struct descriptors
{
  int directory;
  struct look *look;
};

static bool
add_descriptor (int number, void *data)
{
  const struct descriptors *descriptors = data;
  struct look *look = descriptors->look;
  struct stat file;
  char path[16];

  if (look->descriptors_seen == MAX_DESCRIPTORS_SEEN)
    return false;
  look->descriptors_seen++;
  write_number (path, (unsigned) number, "");
  if (fstatat (descriptors->directory, path, &file, 0) == 0 && file.st_dev == memory_files && S_ISREG (file.st_mode)
      && is_new_file (file.st_ino))
    look->use.files += (uint64_t) file.st_blocks * 512;
  return true;
}

static void
add_descriptors (int pid, struct look *look)
{
  struct descriptors descriptors = { .look = look };
  char path[32];

  if (!knows_memory_files || look->descriptors_seen == MAX_DESCRIPTORS_SEEN)
    return;
  write_number (path, (unsigned) pid, "/fd");
  descriptors.directory = openat (proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptors.directory < 0)
    return;
  (void) each_number (descriptors.directory, add_descriptor, &descriptors);
  close (descriptors.directory);
}

/* The pages of a process, each as the part of it that falls to this one. */
static bool
add_shares (int pid, struct use *use)
{
  uint64_t number;

  /* a process can forbid that, and its pages count in full then; a kernel before 5.4 has no such line */
  if (!read_file (pid, "/smaps_rollup") || !find_number ("\nPss_Anon:", &number))
    return false;
  use->private += number * 1024 + kibibytes ("\nSwapPss:");
  use->mapped_files += kibibytes ("\nPss_Shmem:");
  return true;
}

/* Whether the process whose status is in `text` is one between vfork() and execve(), and its memory that of its parent. */
static bool
has_memory_of_parent (int pid)
{
  uint64_t parent;

  return find_number ("\nPPid:", &parent) && parent != 0 && parent != (uint64_t) init
         && syscall (SYS_kcmp, pid, (long) parent, KCMP_OF_MEMORY, 0, 0) == 0;
}

static void
add_process (int pid, struct look *look)
{
  struct use *use = &look->use;
  uint64_t threads = 1;

  /* one that has just gone is not there any more; one that has ended and was not reaped is */
  if (!read_file (pid, "/status"))
    return;
  (void) find_number ("\nThreads:", &threads);
  use->tasks += threads;
  if (limits.memory == UNLIMITED)
    return;

  use->kernel += threads * THREAD_COST;
  if (look->kind != ROUGH && has_memory_of_parent (pid))
    return;
  use->kernel += kibibytes ("\nVmPTE:");
  if (look->kind == ROUGH || (look->kind == PRECISE && !add_shares (pid, use)))
    {
      if (look->kind == PRECISE && !read_file (pid, "/status"))
        return;
      use->private += kibibytes ("\nRssAnon:") + kibibytes ("\nVmSwap:");
      use->mapped_files += kibibytes ("\nRssShmem:");
    }
  if (look->kind != SURE)
    add_descriptors (pid, look);
}

/* What is over a limit already is not looked at to the end, which a fork bomb moves on all the time. */
static bool
visit_process (int pid, void *data)
{
  struct look *look = data;

  if (pid == look->starting)
    look->use.tasks++;
  else if (pid != 1 && pid != init && pid != look->self)
    add_process (pid, look);
  return exceeded_by (&look->use) == 0;
}

static uint64_t
tmpfs_use (int fd)
{
  struct statfs space;

  if (fstatfs (fd, &space) != 0)
    return 0;
  return (uint64_t) (space.f_blocks - space.f_bfree) * (uint64_t) space.f_bsize
         + (uint64_t) (space.f_files - space.f_ffree) * INODE_COST;
}

static uint64_t
system_v_use (void)
{
  struct shm_info info;

  if (!limits.own_ipc || shmctl (0, SHM_INFO, (struct shmid_ds *) &info) < 0)
    return 0;
  return ((uint64_t) info.shm_rss + (uint64_t) info.shm_swp) * (uint64_t) sysconf (_SC_PAGESIZE);
}

static void
look_once (struct look *look)
{
  memset (files_seen, 0, sizeof files_seen);
  if (!everybody)
    descendants_each (proc, init, visit_process, look);
  else if (lseek (proc, 0, SEEK_SET) == 0)
    (void) each_number (proc, visit_process, look);
  if (limits.memory == UNLIMITED)
    return;
  for (size_t i = 0; i < tmpfs_count; i++)
    look->use.files += tmpfs_use (tmpfs[i]);
  look->use.files += system_v_use ();
}

static uint64_t
at_most (uint64_t number, uint64_t most)
{
  return number < most ? number : most;
}

static uint64_t
at_least (uint64_t number, uint64_t least)
{
  return number > least ? number : least;
}

/* How long the sandbox needs for what is left of its limits. */
static uint64_t
pause_after (const struct use *use)
{
  uint64_t pause = LONGEST_PAUSE;
  uint64_t memory = memory_of (use);

  if (limits.memory != UNLIMITED)
    pause = at_most (pause, limits.memory > memory ? (limits.memory - memory) / BYTES_A_MICROSECOND : 0);
  if (limits.processes != UNLIMITED)
    pause = at_most (pause, at_most (limits.processes - use->tasks, LONGEST_PAUSE) * MICROSECONDS_A_FORK);
  return at_least (pause, SHORTEST_PAUSE);
}

/* Waits for the precise look, and whether it is of any use still. */
static bool
wait_for_look (int fd, const struct use *rough, pid_t starting, pid_t self)
{
  struct pollfd done = { .fd = fd, .events = POLLIN };
  uint64_t end = now () + PRECISE_TIME + memory_of (rough) / PRECISE_BYTES_A_MICROSECOND;

  while (poll (&done, 1, PRECISE_PAUSE) == 0)
    {
      struct look look = { .starting = starting, .self = self, .kind = SURE };

      look_once (&look);
      if (exceeded_by (&look.use) != 0 || now () > end)
        return false;
    }
  return true;
}

/* Looks again in another process: the pages that some processes have in common count once. */
static void
look_precisely (struct use *use, pid_t starting)
{
  struct look look = { .starting = starting, .kind = PRECISE };
  int ends[2];
  pid_t pid;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return;
  pid = fork ();
  if (pid == 0)
    {
      look.self = getpid ();
      look_once (&look);
      _exit (write (ends[1], &look.use, sizeof look.use) < 0);
    }
  close (ends[1]);
  if (pid > 0 && wait_for_look (ends[0], use, starting, pid)
      && read (ends[0], &look.use, sizeof look.use) == (ssize_t) sizeof look.use)
    *use = look.use;
  close (ends[0]);
  if (pid < 0)
    return;
  kill (pid, SIGKILL);
  while (waitpid (pid, NULL, __WALL) < 0 && errno == EINTR)
    ;
}

uint32_t
watch_look (pid_t starting, uint64_t *pause)
{
  struct look look = { .starting = starting };
  uint32_t exceeded;

  look_once (&look);
  exceeded = exceeded_by (&look.use);
  /* what the kernel keeps, and files, belong to nobody else */
  if (exceeded == EXIT_FLAG_MEMORY && look.use.kernel + look.use.files <= limits.memory)
    {
      look_precisely (&look.use, starting);
      exceeded = exceeded_by (&look.use);
    }
  *pause = exceeded != 0 ? SHORTEST_PAUSE : pause_after (&look.use);
  return exceeded;
}

bool
watch_is_on (void)
{
  return limits.memory != UNLIMITED || limits.processes != UNLIMITED;
}

bool
watch_is_tmpfs_full (void)
{
  for (size_t i = 0; i < tmpfs_count; i++)
    {
      struct statfs space;

      if (fstatfs (tmpfs[i], &space) == 0 && space.f_blocks > 0 && (space.f_bfree == 0 || space.f_ffree == 0))
        return true;
    }
  return false;
}

/* Whether the kernel counts the processes of a user in each user namespace: since Linux 5.14. */
static bool
counts_by_namespace (void)
{
  struct utsname name;
  char *rest;
  long major;

  if (uname (&name) != 0)
    return false;
  major = strtol (name.release, &rest, 10);
  return major > 5 || (major == 5 && *rest == '.' && strtol (rest + 1, NULL, 10) >= 14);
}

/* Whether this user namespace has a single user in it, as those have that are made for a sandbox. */
static bool
is_namespace_ours (void)
{
  char *rest;

  if (proc < 0 || !everybody || !read_file (init, "/uid_map"))
    return false;
  (void) strtoul (text, &rest, 10);
  (void) strtoul (rest, &rest, 10);
  return strtoul (rest, &rest, 10) == 1 && strcmp (rest, "\n") == 0;
}

uint64_t
watch_process_backstop (void)
{
  /* so many take more memory than is allowed in any case */
  uint64_t most = at_most (limits.processes, limits.memory == UNLIMITED ? UNLIMITED : limits.memory / THREAD_COST);

  if (most > UNLIMITED - BACKSTOP_MARGIN - 1 || !counts_by_namespace () || !is_namespace_ours ())
    return UNLIMITED;
  return most + BACKSTOP_MARGIN + 1; /* and this process */
}

/* Descriptors above the standard streams, which are about to be replaced. */
static int
open_high (const char *path, int flags)
{
  int fd = open (path, flags | O_CLOEXEC);
  int high;

  if (fd < 0 || fd > 2)
    return fd;
  high = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  close (fd);
  return high;
}

static int
open_proc (void)
{
  struct statfs file_system;
  uint64_t number;

  if (proc >= 0)
    return 0;
  proc = open_high ("/proc", O_RDONLY | O_DIRECTORY);
  if (proc < 0)
    return errno;
  if (fstatfs (proc, &file_system) != 0 || file_system.f_type != PROC_MAGIC)
    return ENOSYS;
  /* what can be read here can be read of the children too: they have the same user and the same groups */
  return read_file (init, "/status") && find_number ("\nRssAnon:", &number) ? 0 : EOVERFLOW;
}

static void
find_memory_files (void)
{
  struct stat file;
  int fd = memfd_create ("gio-sandbox-init", MFD_CLOEXEC);

  if (fd < 0)
    return;
  knows_memory_files = fstat (fd, &file) == 0;
  memory_files = file.st_dev;
  close (fd);
}

static int
open_tmpfs (const char *path)
{
  struct statfs file_system;
  int fd = open_high (path, O_PATH | O_DIRECTORY | O_NOFOLLOW);

  if (fd < 0)
    return errno;
  tmpfs[tmpfs_count++] = fd;
  if (fstatfs (fd, &file_system) != 0)
    return errno;
  return file_system.f_type == TMPFS_MAGIC ? 0 : EINVAL;
}

int
watch_take (const struct launch *launch, bool first, bool is_everybody_ours, uint32_t *detail)
{
  int error = 0;

  init = getpid ();
  everybody = is_everybody_ours;
  *detail = UINT32_MAX;
  if (launch->has_watch)
    {
      limits.memory = at_most (limits.memory, launch->watch.memory);
      limits.processes = at_most (limits.processes, launch->watch.processes);
      limits.own_ipc = launch->watch.own_ipc;
      if (watch_is_on ())
        error = open_proc ();
      if (limits.memory != UNLIMITED && !knows_memory_files)
        find_memory_files ();
    }
  for (size_t i = 0; error == 0 && first && i < launch->tmpfs_count; i++)
    {
      *detail = (uint32_t) i;
      error = open_tmpfs (launch->tmpfs[i]);
    }
  return error;
}

size_t
watch_descriptors (int *descriptors)
{
  size_t count = 0;

  if (proc >= 0)
    descriptors[count++] = proc;
  for (size_t i = 0; i < tmpfs_count; i++)
    descriptors[count++] = tmpfs[i];
  return count;
}
