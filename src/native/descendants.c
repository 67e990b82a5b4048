#include "descendants.h"

#include "numbers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SEEN 8192
#define MAX_PASSES 64
#define ROUNDS_FOR_KILL 4
#define ROUNDS_FOR_STOP 16

struct member
{
  pid_t pid;
  pid_t parent;
  pid_t session;
  bool found;
};

struct scan
{
  int proc;
  size_t count;
};

static struct member members[MAX_SEEN];

/* Reads /proc/PID/stat, "PID (NAME) STATE PARENT GROUP SESSION …": NAME is up to the process and may be anything. */
static bool
read_member (int proc, int pid, struct member *member)
{
  char path[32];
  char text[512];
  char *rest;
  ssize_t length;
  int fd;

  write_number (path, (unsigned) pid, "/stat");
  fd = openat (proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  length = read (fd, text, sizeof text - 1);
  close (fd);
  if (length <= 0)
    return false;
  text[length] = 0;

  rest = strrchr (text, ')');
  if (rest == NULL || rest[1] != ' ' || rest[2] == 0 || rest[2] == 'Z' || rest[2] == 'X')
    return false;
  member->pid = pid;
  member->parent = (pid_t) strtol (rest + 3, &rest, 10);
  (void) strtol (rest, &rest, 10);
  member->session = (pid_t) strtol (rest, &rest, 10);
  member->found = false;
  return true;
}

static bool
add_member (int pid, void *data)
{
  struct scan *scan = data;

  if (pid > 1 && read_member (scan->proc, pid, &members[scan->count]))
    scan->count++;
  return scan->count < MAX_SEEN;
}

/* /proc lists processes in ascending order. */
static bool
is_found (size_t count, pid_t pid)
{
  size_t low = 0;
  size_t high = count;

  while (low < high)
    {
      size_t middle = (low + high) / 2;

      if (members[middle].pid == pid)
        return members[middle].found;
      if (members[middle].pid < pid)
        low = middle + 1;
      else
        high = middle;
    }
  return false;
}

/* Marks the session and what descends from its members. Children mostly come after their parents: few passes do. */
static bool
find_members (size_t count, pid_t leader)
{
  bool any = false;
  bool more = true;

  for (int pass = 0; more && pass < MAX_PASSES; pass++)
    {
      more = false;
      for (size_t i = 0; i < count; i++)
        if (!members[i].found
            && (members[i].pid == leader || members[i].session == leader
                || is_found (count, members[i].parent)))
          members[i].found = more = any = true;
    }
  return any;
}

/* Returns whether there was anything to signal. */
static bool
signal_members (int proc, pid_t leader, int signal_number)
{
  struct scan scan = { proc, 0 };

  if (lseek (proc, 0, SEEK_SET) != 0 || each_number (proc, add_member, &scan) != 0)
    return false;
  if (!find_members (scan.count, leader))
    return false;
  for (size_t i = 0; i < scan.count; i++)
    if (members[i].found)
      kill (members[i].pid, signal_number);
  return true;
}

/* Marks what descends from a process, which is not marked itself. Returns how many there are. */
static size_t
find_descendants (size_t count, pid_t ancestor)
{
  size_t found = 0;
  bool more = true;

  for (int pass = 0; more && pass < MAX_PASSES; pass++)
    {
      more = false;
      for (size_t i = 0; i < count; i++)
        if (!members[i].found && members[i].pid != ancestor
            && (members[i].parent == ancestor || is_found (count, members[i].parent)))
          {
            members[i].found = more = true;
            found++;
          }
    }
  return found;
}

/* Returns how many were signalled. */
static size_t
signal_descendants (int proc, int signal_number)
{
  struct scan scan = { proc, 0 };
  size_t found;

  if (lseek (proc, 0, SEEK_SET) != 0 || each_number (proc, add_member, &scan) != 0)
    return 0;
  found = find_descendants (scan.count, getpid ());
  for (size_t i = 0; i < scan.count; i++)
    if (members[i].found)
      kill (members[i].pid, signal_number);
  return found;
}

void
descendants_signal_all (int signal_number)
{
  int proc = open ("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  size_t stopped = 0;

  if (proc < 0)
    return;
  for (int round = 0; signal_number == SIGKILL && round < ROUNDS_FOR_STOP; round++)
    {
      size_t found = signal_descendants (proc, SIGSTOP);

      if (found <= stopped)
        break;
      stopped = found;
    }
  signal_descendants (proc, signal_number);
  close (proc);
}

void
descendants_each (int proc, pid_t ancestor, bool (*visit) (int pid, void *data), void *data)
{
  struct scan scan = { proc, 0 };

  if (lseek (proc, 0, SEEK_SET) != 0 || each_number (proc, add_member, &scan) != 0)
    return;
  (void) find_descendants (scan.count, ancestor);
  for (size_t i = 0; i < scan.count; i++)
    if (members[i].found && !visit (members[i].pid, data))
      return;
}

bool
descendants_is_alone (void)
{
  int proc = open ("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct scan scan = { proc, 0 };
  bool alone;

  if (proc < 0)
    return false;
  /* pid 1 is not in the list: see add_member() */
  alone = each_number (proc, add_member, &scan) == 0 && scan.count == 1 && members[0].pid == getpid ();
  close (proc);
  return alone;
}

void
descendants_signal (pid_t leader, int signal_number)
{
  int rounds = signal_number == SIGKILL ? ROUNDS_FOR_KILL : 1;
  int proc = open ("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool delivered = false;

  /* All in one go: with the leader alone dead, its children would be cut loose and not be found any more. */
  while (proc >= 0 && rounds-- > 0 && signal_members (proc, leader, signal_number))
    delivered = true;
  if (proc >= 0)
    close (proc);

  if (!delivered && kill (-leader, signal_number) != 0)
    kill (leader, signal_number);
}
