/*
 * gio-sandbox-calls SOCKET_FD: makes system calls for a program in GJS, which has no binding for them.
 * gio-sandbox-calls --exec COUNT PROGRAM ARGUMENT...: becomes a program that has the first COUNT descriptors, and no others,
 * in the root directory. GLib starts with posix_spawn() only what may have all descriptors and the directory of its parent.
 *
 * Answers one request after another, as they come over the socket, and ends with it. It runs with the rights of the program
 * that has started it, and does nothing that this one may not do. The protocol stands in src/gjs/system-call-protocol.ts.
 *
 * All memory is static. Paths mean what they mean to this process, so /proc/self is not the client's.
 */
#include "descriptors.h"
#include "system-call-protocol.h"
#include "system-call.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert (BYTE_ORDER == LITTLE_ENDIAN, "numbers go over the socket as they are in memory");

#define EXIT_MALFORMED 1
#define EXIT_USAGE 2
#define MOST_DESCRIPTORS 2
#define MOST_KEPT 4096

struct request
{
  uint32_t operation;
  uint32_t a;
  uint32_t b;
  uint32_t length;
};

struct reply
{
  int32_t result;
  uint32_t length;
};

struct status
{
  uint64_t dev;
  uint64_t ino;
  uint64_t mode;
  uint64_t nlink;
  uint64_t uid;
  uint64_t gid;
  uint64_t rdev;
  uint64_t size;
};

_Static_assert (sizeof (struct request) == REQUEST_SIZE, "as the protocol says");
_Static_assert (sizeof (struct reply) == REPLY_SIZE, "as the protocol says");
_Static_assert (sizeof (struct status) == STATUS_SIZE, "as the protocol says");

static int client;
static struct request request;
static char data[MAX_DATA + 1]; /* with a NUL behind it */

/* What is replied. */
static struct
{
  struct reply head;
  char data[MAX_PATH];
} answer;
static int made[MOST_DESCRIPTORS];
static size_t made_count;

_Static_assert (sizeof answer == REPLY_SIZE + MAX_PATH, "the data is behind the head");
_Static_assert (STATUS_SIZE <= MAX_PATH, "there is room for it");

static _Noreturn void
complain (const char *message)
{
  ssize_t ignored = write (STDERR_FILENO, message, strlen (message));

  (void) ignored;
  _exit (EXIT_USAGE);
}

/* Reads so many bytes. The end of the socket, wherever it comes, is that of this process. */
static void
receive (void *buffer, size_t length)
{
  char *next = buffer;

  while (length > 0)
    {
      ssize_t count = recv (client, next, length, 0);

      if (count < 0 && errno == EINTR)
        continue;
      if (count <= 0)
        _exit (EXIT_SUCCESS);
      next += count;
      length -= (size_t) count;
    }
}

static void
transmit (const void *buffer, size_t length)
{
  const char *next = buffer;

  while (length > 0)
    {
      ssize_t count = send (client, next, length, MSG_NOSIGNAL);

      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        _exit (EXIT_SUCCESS);
      next += count;
      length -= (size_t) count;
    }
}

static void
transmit_descriptor (int fd)
{
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { .header = { .cmsg_len = CMSG_LEN (sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
  char nul = 0;
  struct iovec vector = { .iov_base = &nul, .iov_len = 1 };
  struct msghdr message = {
    .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };

  memcpy (CMSG_DATA (&control.header), &fd, sizeof fd);
  while (sendmsg (client, &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR)
      /* the client waits for it: it gets the end instead */
      _exit (EXIT_SUCCESS);
}

/* Remembers the descriptor that a call has returned, to be sent. Returns the result of the call. */
static int
descriptor (int fd)
{
  if (fd < 0)
    return -1;
  made[made_count++] = fd;
  return 0;
}

static int
descriptors (int result, const int pair[2])
{
  return result < 0 || descriptor (pair[0]) < 0 || descriptor (pair[1]) < 0 ? -1 : 0;
}

static int
make_pipe (void)
{
  int ends[2];

  return descriptors (pipe2 (ends, O_CLOEXEC), ends);
}

static int
make_socket_pair (void)
{
  int ends[2];

  return descriptors (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ends);
}

/* A file in memory with what was sent, which is read from its start. */
static int
make_data (void)
{
  int fd = memfd_create ("gio-sandbox-data", MFD_CLOEXEC);
  ssize_t written;

  if (fd < 0)
    return -1;
  /* at a position, so that the file's own stays at the start; memory is written at once or not at all */
  written = pwrite (fd, data, request.length, 0);
  if (written == (ssize_t) request.length)
    return descriptor (fd);
  close (fd);
  errno = ENOMEM;
  return -1;
}

static int
look_up (int flags)
{
  struct stat found;
  struct status status;

  if (fstatat (AT_FDCWD, data, &found, flags) != 0)
    return -1;
  status = (struct status){
    .dev = found.st_dev,
    .ino = found.st_ino,
    .mode = found.st_mode,
    .nlink = found.st_nlink,
    .uid = found.st_uid,
    .gid = found.st_gid,
    .rdev = found.st_rdev,
    .size = (uint64_t) found.st_size,
  };
  memcpy (answer.data, &status, sizeof status);
  answer.head.length = sizeof status;
  return 0;
}

static int
read_link (void)
{
  ssize_t length = readlink (data, answer.data, sizeof answer.data);

  if (length < 0)
    return -1;
  answer.head.length = (uint32_t) length;
  return 0;
}

/*
 * Whether the data is what the operation takes: no data, one text, two with a NUL between them, or any bytes. A pid must be that of
 * one process.
 */
static bool
is_well_formed (void)
{
  size_t first = strlen (data);

  switch (request.operation)
    {
    case OPERATION_PIPE:
    case OPERATION_SOCKETPAIR:
      return request.length == 0;
    case OPERATION_KILL:
      /* other numbers would be process groups, or everybody */
      return request.length == 0 && request.a >= 1 && request.a <= INT32_MAX;
    case OPERATION_DATA:
      return true;
    case OPERATION_RENAME:
      return first < request.length && first + 1 + strlen (data + first + 1) == request.length;
    default:
      return first == request.length;
    }
}

/* Makes the call. Returns what it does: 0, or -1 with errno. */
static int
perform (void)
{
  switch (request.operation)
    {
    case OPERATION_OPEN:
      return descriptor (open (data, (int) request.a | O_CLOEXEC, (mode_t) request.b));
    case OPERATION_PIPE:
      return make_pipe ();
    case OPERATION_SOCKETPAIR:
      return make_socket_pair ();
    case OPERATION_MEMFD:
      return descriptor (memfd_create (data, MFD_CLOEXEC));
    case OPERATION_STAT:
      return look_up (0);
    case OPERATION_LSTAT:
      return look_up (AT_SYMLINK_NOFOLLOW);
    case OPERATION_READLINK:
      return read_link ();
    case OPERATION_ACCESS:
      return access (data, (int) request.a);
    case OPERATION_MKDIR:
      return mkdir (data, (mode_t) request.a);
    case OPERATION_RMDIR:
      return rmdir (data);
    case OPERATION_UNLINK:
      return unlink (data);
    case OPERATION_RENAME:
      return rename (data, data + strlen (data) + 1);
    case OPERATION_KILL:
      return kill ((pid_t) request.a, (int) request.b);
    case OPERATION_DATA:
      return make_data ();
    default:
      _exit (EXIT_MALFORMED);
    }
}

static void
answer_request (void)
{
  int result;

  answer.head.length = 0;
  made_count = 0;
  do
    result = perform ();
  while (result < 0 && errno == EINTR);
  answer.head.result = result < 0 ? -errno : result;
  transmit (&answer, sizeof answer.head + answer.head.length);
  for (size_t i = 0; i < made_count; i++)
    {
      transmit_descriptor (made[i]);
      close (made[i]);
    }
}

static _Noreturn void
serve (void)
{
  for (;;)
    {
      receive (&request, sizeof request);
      if (request.length > MAX_DATA)
        _exit (EXIT_MALFORMED);
      receive (data, request.length);
      data[request.length] = 0;
      if (!is_well_formed ())
        _exit (EXIT_MALFORMED);
      answer_request ();
    }
}

/* The socket, which must block and not be inherited by anybody. */
static int
parse_descriptor (const char *text)
{
  char *end;
  long number = strtol (text, &end, 10);
  int flags;

  if (end == text || *end != 0 || number < 3 || number > 1 << 30 || fcntl ((int) number, F_SETFD, FD_CLOEXEC) != 0
      || (flags = fcntl ((int) number, F_GETFL)) < 0 || fcntl ((int) number, F_SETFL, flags & ~O_NONBLOCK) != 0)
    complain ("gio-sandbox-calls: the descriptor of the socket is not usable\n");
  return (int) number;
}

static _Noreturn void
become (const char *count, char **argv)
{
  static int kept[MOST_KEPT];
  char *end;
  long number = strtol (count, &end, 10);

  if (end == count || *end != 0 || number < 3 || number > MOST_KEPT)
    complain ("gio-sandbox-calls: --exec needs a number of descriptors\n");
  for (int fd = 0; fd < number; fd++)
    kept[fd] = fd;
  descriptors_close_others (kept, (size_t) number);
  if (chdir ("/") == 0)
    system_call (SYS_execve, (long) argv[0], (long) argv, (long) environ, 0);
  complain ("gio-sandbox-calls: the program could not be executed\n");
}

int
main (int argc, char **argv)
{
  if (argc >= 4 && strcmp (argv[1], "--exec") == 0)
    become (argv[2], argv + 3);
  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (argc != 2 || argv[1][0] < '0' || argv[1][0] > '9')
    complain ("Usage: gio-sandbox-calls SOCKET_FD\nMakes system calls for a program in GJS. gio-sandbox starts it.\n");
  client = parse_descriptor (argv[1]);
  descriptors_close_others (&client, 1);
  /* what the terminal sends is for the client, whose end is this one's */
  signal (SIGHUP, SIG_IGN);
  signal (SIGINT, SIG_IGN);
  signal (SIGQUIT, SIG_IGN);
  serve ();
}
