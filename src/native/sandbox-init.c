/*
 * gio-sandbox-init CONTROL_FD [LABEL]: the first process of a sandbox, or at least of what the launcher starts in it.
 * LABEL means nothing here: it is for whoever looks for this process in /proc.
 *
 * Starts processes as the launcher says over the control socket, reports how they end, reaps whatever else ends, and
 * kills everything when the launcher says so or is gone. The protocol stands in src/init/protocol.ts.
 *
 * As a template it starts other sandboxes instead, with copies of itself for their inits.
 *
 * All memory is static, and what is not used costs nothing. The processes of the sandbox are hostile: they can't
 * trace init or see its memory and descriptors, and nothing that they do takes more than a bounded time here.
 */
#include "child.h"
#include "descendants.h"
#include "descriptors.h"
#include "frames.h"
#include "furnish.h"
#include "made-sandbox.h"
#include "protocol.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_REFUSED 1
#define EXIT_USAGE 2

#define PAGE (64 * 1024) /* the largest there is, on arm64 */
#define REAPED_AT_ONCE 256
#define ROUNDS_OF_THE_END 5000 /* of a millisecond or more */
#define FRAMES_AT_ONCE 64
#define DESCRIPTORS_A_MESSAGE 253 /* SCM_MAX_FD of Linux */

#define NEVER UINT64_MAX
/* From linux/landlock.h of Linux 6.12. */
#define LANDLOCK_WITH_SIGNALS 6 /* ABI */
#define LANDLOCK_SCOPE_SIGNALS (1u << 1)
#define PAUSE_FOR_WORK 3 /* looking takes a quarter of a processor at most, however slow the sandbox makes it */
#define CHILD_STACK_SIZE (64 * 1024)
#define STARTED_LENGTH 4
#define FAILED_LENGTH 12
#define EXITED_LENGTH (2 * 4 + 10 * 8)
#define OUTPUT_OF_A_PROCESS (2 * HEADER_SIZE + STARTED_LENGTH + EXITED_LENGTH)

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

struct process
{
  uint32_t number; /* the launcher's */
  pid_t pid;
  bool failed; /* to start: what is left of it is to be reaped */
  uint32_t exit_flags;
  uint32_t step; /* that failed, with error and detail */
  uint32_t error;
  uint32_t detail;
  uint64_t started;  /* microseconds */
  uint64_t deadline; /* microseconds, or NEVER */
};

static int control;
static int null_device;
static bool is_first;     /* pid 1: the kernel kills all others after us, and whoever has no parent is our child */
static bool is_alone;     /* nobody else is here but pid 1, and neither is the launcher: this pid namespace is ours */
static uint32_t landlock; /* its ABI, or 0 */
static int ruleset = -1;  /* of Landlock, for the children: it keeps their signals from us */
static sigset_t waiting_mask; /* of signals, while it waits */
static bool greeted;
static bool is_bare; /* it awaits FURNISH */
static bool is_template;
static bool single_use;
static bool launched;
static bool ended; /* a process did, since the last EMPTY */
static bool empty; /* there is no child */
static uint64_t next_look = NEVER; /* at what the processes use: microseconds */
static volatile sig_atomic_t child_changed;

static struct process processes[BOUND_MAX_PROCESSES];
static size_t process_count;

/*
 * The one process that is between clone() and execve(). It runs in our memory and reads `launch`, with `launch_body`
 * behind it, and `supply`: so no other LAUNCH is read until the pipe ends.
 */
static uint32_t starting; /* its number, or 0 */
static int liveness;      /* read end of a pipe that ends when execve() has succeeded or the child has ended */
static uint32_t launch_length; /* of its frame's body */
static struct supply supply;
static struct report *report;
#ifndef START_BY_FORK
static _Alignas (64) uint8_t child_stack[CHILD_STACK_SIZE];
#endif
static _Alignas (PAGE) uint8_t launch_body[BOUND_MAX_BODY];
static _Alignas (PAGE) struct launch launch;
/* These have their body in launch_body, too. */
static struct make make;
static _Alignas (PAGE) struct furnish furnish;

static int received[BOUND_MAX_RECEIVED];
static size_t received_count;

static uint8_t header[HEADER_SIZE];
static uint8_t small_body[FRAME_MAX_SMALL_LENGTH]; /* of all frames but LAUNCH, MAKE and FURNISH */
static struct frame frame;
static size_t filled; /* bytes of header and body so far */

/*
 * Commands are read only while no output waits. So all that can ever wait is STARTED and EXITED of each living process,
 * and then an EMPTY and a REFUSED.
 */
static _Alignas (PAGE) uint8_t output[BOUND_MAX_PROCESSES * OUTPUT_OF_A_PROCESS + 4 * HEADER_SIZE];
static size_t output_start;
static size_t output_end;

/* Gives the memory of a large object that begins with a page back to the system. What is not whole pages stays. */
static void
give_back (void *object, size_t size)
{
  madvise (object, size / PAGE * PAGE, MADV_DONTNEED);
}

/* Sends a signal to every process of the sandbox but this one and pid 1, which is not ours if we are not it. */
static void
signal_all (int signal_number)
{
  if (is_first || is_alone)
    kill (-1, signal_number);
  else
    descendants_signal_all (signal_number);
}

/*
 * When the first process of a pid namespace ends, the kernel kills all others. Where another one is the first, this one
 * does: they are its children, or become so, since it is a subreaper. Only one that hangs in the kernel is not waited for.
 */
static _Noreturn void
end_sandbox (int status)
{
  const struct timespec pause = { 0, 1000 * 1000 };

  for (int round = 0; !is_first && round < ROUNDS_OF_THE_END; round++)
    {
      pid_t reaped;

      signal_all (SIGKILL);
      do
        reaped = waitpid (-1, NULL, WNOHANG | __WALL);
      while (reaped > 0);
      if (reaped < 0)
        break;
      nanosleep (&pause, NULL);
    }
  _exit (status);
}

/* Sends what waits, as far as the socket takes it. */
static void
flush (void)
{
  while (output_start < output_end)
    {
      ssize_t sent
        = send (control, output + output_start, output_end - output_start, MSG_NOSIGNAL | MSG_DONTWAIT);

      if (sent < 0 && errno == EINTR)
        continue;
      if (sent < 0 && errno == EAGAIN)
        return;
      if (sent < 0)
        end_sandbox (EXIT_SUCCESS);
      output_start += (size_t) sent;
    }
  if (output_end > PAGE)
    give_back (output, sizeof output);
  output_start = output_end = 0;
}

static uint8_t *
add_frame (uint32_t type, uint32_t process, uint32_t length)
{
  uint8_t *bytes = output + output_end;

  if (sizeof output - output_end < HEADER_SIZE + length)
    end_sandbox (EXIT_REFUSED);
  write_u32 (bytes, length);
  write_u32 (bytes + 4, type);
  write_u32 (bytes + 8, process);
  output_end += HEADER_SIZE + length;
  return bytes + HEADER_SIZE;
}

static _Noreturn void
refuse (int refusal)
{
  write_u32 (add_frame (FRAME_REFUSED, 0, 4), (uint32_t) refusal);
  flush ();
  end_sandbox (EXIT_REFUSED);
}

static void
say_failed (uint32_t process, uint32_t step, uint32_t error, uint32_t detail)
{
  uint8_t *bytes = add_frame (FRAME_FAILED, process, FAILED_LENGTH);

  write_u32 (bytes, step);
  write_u32 (bytes + 4, error);
  write_u32 (bytes + 8, detail);
}

static void
say_exited (const struct process *process, int status, const struct rusage *usage)
{
  uint8_t *bytes = add_frame (FRAME_EXITED, process->number, EXITED_LENGTH);
  const uint64_t figures[] = {
    (uint64_t) usage->ru_utime.tv_sec * 1000000 + (uint64_t) usage->ru_utime.tv_usec,
    (uint64_t) usage->ru_stime.tv_sec * 1000000 + (uint64_t) usage->ru_stime.tv_usec,
    (uint64_t) usage->ru_maxrss,
    (uint64_t) usage->ru_minflt,
    (uint64_t) usage->ru_majflt,
    (uint64_t) usage->ru_inblock,
    (uint64_t) usage->ru_oublock,
    (uint64_t) usage->ru_nvcsw,
    (uint64_t) usage->ru_nivcsw,
    now () - process->started,
  };

  write_u32 (bytes, (uint32_t) status);
  write_u32 (bytes + 4, process->exit_flags | (watch_is_tmpfs_full () ? EXIT_FLAG_TMPFS_FULL : 0));
  for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
    write_u64 (bytes + 8 + 8 * i, figures[i]);
}

static struct process *
process_numbered (uint32_t number)
{
  for (size_t i = 0; i < process_count; i++)
    if (processes[i].number == number)
      return &processes[i];
  return NULL;
}

static struct process *
process_with_pid (pid_t pid)
{
  for (size_t i = 0; i < process_count; i++)
    if (processes[i].pid == pid)
      return &processes[i];
  return NULL;
}

static void
note_failure (struct process *process, uint32_t error, uint32_t detail)
{
  process->failed = true;
  process->step = report->reached;
  process->error = error;
  process->detail = detail;
}

/* The pipe has ended: the process runs its program, or has failed and is about to end. */
static void
settle (void)
{
  struct process *process = process_numbered (starting);

  close (liveness);
  starting = 0;
  if (report->failed != 0 && !process->failed)
    note_failure (process, report->error, report->detail);
  if (!process->failed)
    write_u32 (add_frame (FRAME_STARTED, process->number, STARTED_LENGTH), (uint32_t) process->pid);
  if (launch_length > PAGE)
    {
      give_back (launch_body, sizeof launch_body);
      give_back (&launch, sizeof launch);
    }
}

/* Reports the end of a process that has been reaped, and forgets it. */
static void
bury (struct process *process, int status, const struct rusage *usage)
{
  if (process->number == starting)
    settle ();
  if (process->failed)
    say_failed (process->number, process->step, process->error, process->detail);
  else
    say_exited (process, status, usage);
  *process = processes[--process_count];
}

static void
reap (void)
{
  child_changed = 0;
  for (int i = 0; i < REAPED_AT_ONCE; i++)
    {
      struct rusage usage;
      struct process *process;
      int status;
      pid_t pid = wait4 (-1, &status, WNOHANG | __WALL, &usage);

      if (pid == 0)
        return;
      if (pid < 0)
        {
          empty = true;
          if (ended)
            add_frame (FRAME_EMPTY, 0, 0);
          ended = false;
          return;
        }
      ended = true;
      process = process_with_pid (pid);
      if (process != NULL)
        bury (process, status, &usage);
    }
  child_changed = 1;
}

static void
drop_received (void)
{
  for (size_t i = 0; i < received_count; i++)
    close (received[i]);
  received_count = 0;
}

/* What init was started with is for the first process only: its pipes must end when that process closes them. */
static void
drop_inherited (void)
{
  int kept[4 + WATCH_MAX_DESCRIPTORS] = { control, null_device };
  size_t count = 2;

  if (starting != 0)
    kept[count++] = liveness;
  if (ruleset >= 0)
    kept[count++] = ruleset;
  count += watch_descriptors (kept + count);
  descriptors_close_others (kept, count);
  for (int fd = 0; fd < 3; fd++)
    dup3 (null_device, fd, O_CLOEXEC);
}

static _Noreturn void
complain (const char *message)
{
  ssize_t ignored = write (STDERR_FILENO, message, strlen (message));

  (void) ignored;
  _exit (EXIT_USAGE);
}

static int
open_null (void)
{
  int fd = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (fd < 0)
    complain ("gio-sandbox-init: there is no /dev/null in the sandbox\n");
  return fd;
}

/* Opens /dev/null, above the standard streams, and closes gaps in those with it. */
static void
open_null_device (void)
{
  int fd = open_null ();

  null_device = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (null_device < 0)
    complain ("gio-sandbox-init: too many open files\n");
  close (fd);
  for (fd = 0; fd < 3; fd++)
    if (fcntl (fd, F_GETFD) < 0)
      dup3 (null_device, fd, O_CLOEXEC);
}

/* The same /dev/null, as it is in another root directory. */
static void
reopen_null_device (void)
{
  int fd = open_null ();

  dup3 (fd, null_device, O_CLOEXEC);
  close (fd);
}

static void
make_report (void)
{
  report = mmap (NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (report == MAP_FAILED)
    complain ("gio-sandbox-init: out of memory\n");
}

static uint64_t
deadline_after (uint64_t start)
{
  if (!launch.has_timeout || launch.timeout > (NEVER - 1 - start) / 1000)
    return NEVER;
  return start + launch.timeout * 1000;
}

static int
run_child (void *data)
{
  (void) data;
  child_run (&launch, &supply, report);
}

/*
 * A child in our memory, on a stack of its own: fork() would have both of us fault on every page that either writes,
 * which takes as long as all the rest of a launch.
 */
static pid_t
clone_child (void)
{
  pid_t pid = -1;

#ifndef START_BY_FORK
  pid = clone (run_child, child_stack + sizeof child_stack, CLONE_VM | SIGCHLD, NULL);
  if (pid > 0 || errno != EINVAL)
    return pid;
#endif
  /* user-mode emulators can't do that */
  pid = fork ();
  if (pid == 0)
    run_child (NULL);
  return pid;
}

static void
add_process (uint32_t number, pid_t pid, uint64_t start, uint64_t deadline)
{
  processes[process_count++] = (struct process){ .number = number, .pid = pid, .started = start, .deadline = deadline };
  empty = false;
}

/* Returns 0, or the errno of what failed. */
static int
start_process (uint32_t number)
{
  int ends[2];
  pid_t pid;
  uint64_t start = now ();

  if (process_count == BOUND_MAX_PROCESSES)
    return EAGAIN;
  if (pipe2 (ends, O_CLOEXEC) != 0)
    return errno;

  *report = (struct report){ .reached = STEP_FORK };
  supply.null = null_device;
  supply.liveness = ends[1];
  supply.ruleset = ruleset;
  supply.process_backstop = watch_process_backstop ();
  supply.received_count = received_count;
  memcpy (supply.received, received, received_count * sizeof received[0]);
  pid = clone_child ();
  if (pid < 0)
    {
      int error = errno;

      close (ends[0]);
      close (ends[1]);
      return error;
    }
  close (ends[1]);
  liveness = ends[0];
  starting = number;

  add_process (number, pid, start, deadline_after (start));
  if (watch_is_on ())
    next_look = start;
  return 0;
}

static _Noreturn void serve (void);

/* The sandbox that this process is to be the init of could not be set up. */
static _Noreturn void
fail_set_up (uint32_t step, int error, uint32_t detail)
{
  say_failed (0, step, (uint32_t) error, detail);
  flush ();
  end_sandbox (EXIT_REFUSED);
}

/* In a copy of the template: becomes the init of the sandbox that was just made. */
static _Noreturn void
become_init (int socket)
{
  uint32_t step = 0;
  uint32_t detail = 0;
  int error;

  descriptors_close_others (&socket, 1);
  control = 3; /* the number that bwrap has it be */
  if (socket != control && dup3 (socket, control, O_CLOEXEC) == control)
    close (socket);
  process_count = 0;
  child_changed = 0;
  output_start = output_end = 0;
  received_count = 0;
  greeted = false;
  is_template = false;
  ended = false;
  empty = false;

  error = made_sandbox_set_up (&make, &step, &detail);
  if (error != 0)
    fail_set_up (step, error, detail);
  open_null_device ();
  for (int fd = 0; fd < 3; fd++)
    dup3 (null_device, fd, O_CLOEXEC);
  /* the one that it has is the template's as well */
  make_report ();
  serve ();
}

static void
handle_make (void)
{
  uint64_t start = now ();
  int refusal;
  pid_t pid;

  if (!is_template || is_bare)
    refuse (REFUSAL_UNKNOWN_FRAME);
  if (process_numbered (frame.process) != NULL)
    refuse (REFUSAL_PROCESS_NUMBER);
  refusal = frame_read_make (&frame, launch_body, &make);
  if (refusal != 0)
    refuse (refusal);
  if (received_count != 1)
    refuse (REFUSAL_MALFORMED);

  errno = EAGAIN;
  pid = process_count == BOUND_MAX_PROCESSES ? -1 : made_sandbox_fork (&make);
  if (pid == 0)
    become_init (received[0]);
  if (pid < 0)
    say_failed (frame.process, STEP_FORK, (uint32_t) errno, 0);
  else
    {
      add_process (frame.process, pid, start, NEVER);
      write_u32 (add_frame (FRAME_STARTED, frame.process, STARTED_LENGTH), (uint32_t) pid);
    }
  drop_received ();
}

static void
handle_launch (void)
{
  int refusal;
  int error;
  uint32_t step = STEP_WATCH;
  uint32_t detail;

  if (is_template || is_bare)
    refuse (REFUSAL_UNKNOWN_FRAME);
  if (single_use && launched)
    refuse (REFUSAL_SINGLE_USE);
  if (process_numbered (frame.process) != NULL)
    refuse (REFUSAL_PROCESS_NUMBER);
  refusal = frame_read_launch (&frame, launch_body, &launch);
  if (refusal != 0)
    refuse (refusal);

  launch_length = frame.length;
  error = watch_take (&launch, !launched, is_first || is_alone, &detail);
  if (error == 0)
    {
      step = STEP_FORK;
      detail = 0;
      error = start_process (frame.process);
    }
  if (error != 0)
    {
      say_failed (frame.process, step, (uint32_t) error, detail);
      ended = true;
      child_changed = 1;
    }
  drop_received ();
  if (!launched)
    drop_inherited ();
  launched = true;
}

static void
handle_signal (void)
{
  struct process *process = process_numbered (frame.process);
  uint32_t signal_number;
  uint32_t scope;
  int refusal = frame_read_signal (small_body, &signal_number, &scope);

  if (refusal != 0)
    refuse (refusal);
  if (signal_number >= _NSIG)
    return;
  if (scope == SIGNAL_SCOPE_ALL)
    signal_all ((int) signal_number);
  else if (process == NULL)
    return;
  else if (scope == SIGNAL_SCOPE_TREE)
    descendants_signal (process->pid, (int) signal_number);
  /* it leads no group yet if it was forked a moment ago */
  else if (scope == SIGNAL_SCOPE_PROCESS || kill (-process->pid, (int) signal_number) != 0)
    kill (process->pid, (int) signal_number);
}

static uint32_t
landlock_version (void)
{
  long version = syscall (SYS_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);

  return version > 0 ? (uint32_t) version : 0;
}

static void
say_ready (void)
{
  uint8_t *bytes = add_frame (FRAME_READY, 0, 8);

  write_u32 (bytes, VERSION);
  write_u32 (bytes + 4, landlock);
}

static void
handle_furnish (void)
{
  uint32_t step;
  uint32_t detail;
  int refusal;
  int error;

  if (!is_bare)
    refuse (REFUSAL_UNKNOWN_FRAME);
  refusal = frame_read_furnish (&frame, launch_body, &furnish);
  if (refusal != 0)
    refuse (refusal);
  is_bare = false;
  error = furnish_root (&furnish, &step, &detail);
  if (error != 0)
    fail_set_up (step, error, detail);
  give_back (&furnish, sizeof furnish);
  reopen_null_device ();
  say_ready ();
}

static void
handle_hello (void)
{
  uint32_t flags;
  int refusal = frame_read_hello (&frame, small_body, &flags);

  if (refusal != 0)
    refuse (refusal);
  if (!is_first && (flags & HELLO_FLAG_NOT_PID_1) == 0)
    refuse (REFUSAL_NOT_PID_1);
  greeted = true;
  single_use = (flags & HELLO_FLAG_SINGLE_USE) != 0;
  is_template = (flags & HELLO_FLAG_TEMPLATE) != 0;
  is_bare = (flags & HELLO_FLAG_FURNISH) != 0;
  if (!is_bare)
    say_ready ();
}

static void
handle_frame (void)
{
  switch (frame.type)
    {
    case FRAME_HELLO:
      handle_hello ();
      break;
    case FRAME_LAUNCH:
      handle_launch ();
      break;
    case FRAME_SIGNAL:
      handle_signal ();
      break;
    case FRAME_MAKE:
      handle_make ();
      break;
    case FRAME_FURNISH:
      handle_furnish ();
      break;
    default: /* CLOSE */
      end_sandbox (EXIT_SUCCESS);
    }
}

static void
keep_descriptors (struct msghdr *message)
{
  bool too_many = (message->msg_flags & MSG_CTRUNC) != 0;

  for (struct cmsghdr *part = CMSG_FIRSTHDR (message); part != NULL; part = CMSG_NXTHDR (message, part))
    {
      size_t count;

      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
        continue;
      count = (part->cmsg_len - CMSG_LEN (0)) / sizeof (int);
      for (size_t i = 0; i < count; i++)
        {
          int fd;

          memcpy (&fd, CMSG_DATA (part) + i * sizeof fd, sizeof fd);
          if (received_count < BOUND_MAX_RECEIVED)
            received[received_count++] = fd;
          else
            {
              close (fd);
              too_many = true;
            }
        }
    }
  if (too_many)
    refuse (REFUSAL_TOO_MANY);
}

/*
 * Receives up to `size` bytes of the frame that is being read and not one of the next, so that the descriptors that
 * come with the next frame stay with it. Returns how many, 0 if there are none now.
 */
static size_t
receive_bytes (uint8_t *bytes, size_t size)
{
  union
  {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE (DESCRIPTORS_A_MESSAGE * sizeof (int))];
  } ancillary;
  struct iovec part = { bytes, size };
  struct msghdr message = {
    .msg_iov = &part,
    .msg_iovlen = 1,
    .msg_control = &ancillary,
    .msg_controllen = sizeof ancillary,
  };
  ssize_t length;

  do
    length = recvmsg (control, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (length < 0 && errno == EINTR);

  if (length < 0 && errno == EAGAIN)
    return 0;
  if (length <= 0)
    end_sandbox (EXIT_SUCCESS);
  keep_descriptors (&message);
  return (size_t) length;
}

/* Whether the header of a LAUNCH is here that can't go on yet. */
static bool
is_held (void)
{
  return filled >= HEADER_SIZE && frame.type == FRAME_LAUNCH && starting != 0;
}

static bool
has_large_body (void)
{
  return frame.type == FRAME_LAUNCH || frame.type == FRAME_MAKE || frame.type == FRAME_FURNISH;
}

/* Receives what there is of one frame, and does what it says if it is complete. Returns false if there is no more. */
static bool
receive (void)
{
  uint8_t *body;
  size_t length;

  if (filled < HEADER_SIZE)
    {
      int refusal;

      length = receive_bytes (header + filled, HEADER_SIZE - filled);
      filled += length;
      if (filled < HEADER_SIZE)
        return length > 0;
      refusal = frame_read_header (header, greeted, &frame);
      if (refusal != 0)
        refuse (refusal);
    }
  if (is_held ())
    return false;
  body = has_large_body () ? launch_body : small_body;
  if (filled < HEADER_SIZE + frame.length)
    {
      length = receive_bytes (body + (filled - HEADER_SIZE), HEADER_SIZE + frame.length - filled);
      filled += length;
      if (filled < HEADER_SIZE + frame.length)
        return length > 0;
    }
  filled = 0;
  handle_frame ();
  return true;
}

static void
handle_commands (void)
{
  for (int i = 0; i < FRAMES_AT_ONCE && output_end == 0; i++)
    {
      if (!receive ())
        return;
      flush ();
    }
}

/* Whether the process is neither started nor ended at this very moment. */
static bool
is_starting (const struct process *process)
{
  struct pollfd ending = { .fd = liveness };

  return process->number == starting && poll (&ending, 1, 0) == 0;
}

static void
end_overdue (void)
{
  uint64_t time = now ();

  for (size_t i = 0; i < process_count; i++)
    {
      struct process *process = &processes[i];

      if (process->deadline > time)
        continue;
      process->deadline = NEVER;
      process->exit_flags |= EXIT_FLAG_TIMED_OUT;
      if (is_starting (process))
        note_failure (process, ETIMEDOUT, 0);
      if (single_use)
        signal_all (SIGKILL);
      else
        descendants_signal (process->pid, SIGKILL);
    }
}

/* Ends everything. Where kill() finds all processes at once, what is about to fork does not come to it. */
static void
end_excess (uint32_t exit_flag)
{
  for (size_t i = 0; i < process_count; i++)
    {
      struct process *process = &processes[i];

      process->exit_flags |= exit_flag;
      if (is_starting (process))
        note_failure (process, exit_flag == EXIT_FLAG_MEMORY ? ENOMEM : EAGAIN, 0);
    }
  signal_all (SIGKILL);
}

static void
look_at_use (void)
{
  const struct process *process;
  uint64_t start = now ();
  uint64_t work;
  uint64_t pause;
  uint32_t exceeded;

  if (next_look > start)
    return;
  if (empty)
    {
      next_look = NEVER;
      return;
    }
  process = starting == 0 ? NULL : process_numbered (starting);
  exceeded = watch_look (process == NULL ? 0 : process->pid, &pause);
  if (exceeded != 0)
    end_excess (exceeded);
  work = (now () - start) * PAUSE_FOR_WORK;
  next_look = now () + (work > pause ? work : pause);
}

static uint64_t
first_deadline (void)
{
  uint64_t first = next_look;

  for (size_t i = 0; i < process_count; i++)
    if (processes[i].deadline < first)
      first = processes[i].deadline;
  return first;
}

/* Waits until something is to be done. Returns whether there are commands to read. */
static bool
wait_for_events (void)
{
  struct pollfd polled[2] = { { .fd = control }, { .fd = liveness } };
  struct timespec time = { 0, 0 };
  uint64_t deadline = first_deadline ();

  if (output_end > 0)
    polled[0].events = POLLOUT;
  else if (!is_held ())
    polled[0].events = POLLIN;

  if (deadline != NEVER && child_changed == 0)
    {
      uint64_t current = now ();
      uint64_t left = deadline > current ? deadline - current : 0;

      time.tv_sec = (time_t) (left / 1000000);
      time.tv_nsec = (long) (left % 1000000 * 1000);
    }
  if (ppoll (polled, starting != 0 ? 2 : 1, deadline == NEVER && child_changed == 0 ? NULL : &time, &waiting_mask) <= 0)
    return false;

  if ((polled[0].revents & (POLLHUP | POLLERR)) != 0)
    end_sandbox (EXIT_SUCCESS);
  if (polled[1].revents != 0)
    settle ();
  return polled[0].revents != 0;
}

static _Noreturn void
serve (void)
{
  for (;;)
    {
      bool has_commands = wait_for_events ();

      if (child_changed != 0)
        reap ();
      end_overdue ();
      look_at_use ();
      flush ();
      if (has_commands)
        handle_commands ();
      if (single_use && launched && empty && child_changed == 0 && output_end == 0)
        end_sandbox (EXIT_SUCCESS);
    }
}

static void
note_child (int signal_number)
{
  (void) signal_number;
  child_changed = 1;
}

/*
 * All signals are blocked, and SIGCHLD comes while waiting. None is ignored, as a child would inherit that: not even those
 * that C libraries keep to themselves, and glibc's posix_spawn() lets a program ignore.
 */
static void
take_signals (void)
{
  const uint8_t nothing[64] = { 0 }; /* the kernel's struct sigaction with SIG_DFL */
  struct sigaction action = { 0 };
  sigset_t all;

  sigfillset (&all);
  sigprocmask (SIG_SETMASK, &all, NULL);
  for (int i = 1; i < _NSIG; i++)
    syscall (SYS_rt_sigaction, i, nothing, NULL, _NSIG / 8);
  action.sa_handler = note_child;
  action.sa_flags = SA_NOCLDSTOP;
  sigaction (SIGCHLD, &action, NULL);
  waiting_mask = all;
  sigdelset (&waiting_mask, SIGCHLD);
}

/*
 * As pid 1 this process could not be stopped by its children, or killed. As another it can, so they get to signal each
 * what it has started, and nobody else.
 */
static void
make_ruleset (void)
{
  const struct
  {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
  } attributes = { 0, 0, LANDLOCK_SCOPE_SIGNALS };
  long fd = syscall (SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);

  if (fd < 0)
    complain ("gio-sandbox-init: there can be no Landlock ruleset\n");
  /* close-on-exec as it comes */
  ruleset = (int) fd;
}

/*
 * Whether nobody is to be seen but this process and pid 1, which a sandbox of somebody else's making begins with, and the
 * launcher lives in another pid namespace: the kernel shows the pid of a socket's other end as 0 then. Only in such a
 * place is "everybody" nobody else's.
 */
static bool
find_out_if_alone (void)
{
  struct ucred launcher;
  socklen_t length = sizeof launcher;

  return getsockopt (control, SOL_SOCKET, SO_PEERCRED, &launcher, &length) == 0 && launcher.pid == 0
         && descendants_is_alone ();
}

static int
parse_descriptor (const char *text)
{
  char *end;
  long number = strtol (text, &end, 10);

  if (*end != 0 || number < 3 || number > 1 << 30 || fcntl ((int) number, F_SETFD, FD_CLOEXEC) != 0)
    complain ("gio-sandbox-init: the control descriptor is not usable\n");
  return (int) number;
}

int
main (int argc, char **argv)
{
  /* before anything else can run here: no process of the sandbox may look into this one */
  prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  is_first = getpid () == 1;
  /* and nothing of the sandbox outlives the program that set it up */
  if (is_first)
    prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  else
    prctl (PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (argc != 2 && argc != 3)
    complain ("Usage: gio-sandbox-init CONTROL_FD [LABEL]\nThe first process of a sandbox. gio-sandbox starts it.\n");
  control = parse_descriptor (argv[1]);
  is_alone = !is_first && find_out_if_alone ();
  landlock = landlock_version ();
  take_signals ();
  open_null_device ();
  if (is_alone && landlock >= LANDLOCK_WITH_SIGNALS)
    make_ruleset ();
  make_report ();
  serve ();
}
