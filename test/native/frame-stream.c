#include "frame-stream.h"

#include "frames.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEMAND(condition)                                                                                             \
  do                                                                                                                  \
    if (!(condition))                                                                                                 \
      {                                                                                                               \
        fprintf (stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                      \
        abort ();                                                                                                     \
      }                                                                                                               \
  while (0)

/* Not cleared between two frames: the parser says that it needs no preparation. */
static struct launch launch;
static struct make make;
static struct furnish furnish;

struct body
{
  const uint8_t *bytes;
  size_t length;
};

static void
check_string (const struct body *body, const char *string)
{
  size_t start = (size_t) ((const uint8_t *) string - body->bytes);

  DEMAND (start < body->length);
  DEMAND (memchr (string, 0, body->length - start) != NULL);
}

static size_t
check_list (const struct body *body, char **list)
{
  size_t count = 0;

  for (; list[count] != NULL; count++)
    {
      DEMAND (count < BOUND_MAX_STRINGS);
      check_string (body, list[count]);
    }
  return count;
}

static void
check_filters (const struct body *body, const struct filter *filters, size_t count)
{
  DEMAND (count <= BOUND_MAX_FILTERS);
  for (size_t i = 0; i < count; i++)
    {
      size_t start = (size_t) (filters[i].instructions - body->bytes);

      DEMAND (filters[i].length > 0 && filters[i].length <= BOUND_MAX_FILTER_LENGTH);
      DEMAND (start < body->length && (size_t) filters[i].length * 8 <= body->length - start);
    }
}

static void
check_launch (const struct body *body)
{
  size_t arguments = check_list (body, launch.arguments);
  size_t variables = check_list (body, launch.variables);

  DEMAND (arguments > 0 && arguments + variables <= BOUND_MAX_STRINGS);
  DEMAND (launch.arguments == launch.strings + 1);
  DEMAND (launch.variables == launch.arguments + arguments + 1);
  if (strcmp (launch.directory, "/") != 0)
    check_string (body, launch.directory);
  if (launch.search_path != NULL)
    check_string (body, launch.search_path);

  DEMAND (launch.mapping_count <= BOUND_MAX_DESCRIPTORS);
  for (size_t i = 0; i < launch.mapping_count; i++)
    DEMAND (launch.mappings[i].origin == ORIGIN_INHERITED || launch.mappings[i].origin == ORIGIN_RECEIVED);
  DEMAND (launch.limit_count <= BOUND_MAX_LIMITS);
  DEMAND (launch.identity_count <= BOUND_MAX_IDENTITIES);
  for (size_t i = 0; i < launch.identity_count; i++)
    check_string (body, launch.identities[i].path);
  check_filters (body, launch.filters, launch.filter_count);
}

static void
check_make (const struct body *body)
{
  check_string (body, make.user_map);
  check_string (body, make.group_map);
  DEMAND (make.private_count <= BOUND_MAX_TMPFS);
  for (size_t i = 0; i < make.private_count; i++)
    {
      check_string (body, make.privates[i].path);
      check_string (body, make.privates[i].options);
    }
  DEMAND (make.carried_count <= BOUND_MAX_CARRIED);
  for (size_t i = 0; i < make.carried_count; i++)
    check_string (body, make.carried[i]);
  DEMAND (make.cover_count <= BOUND_MAX_COVERS);
  for (size_t i = 0; i < make.cover_count; i++)
    check_string (body, make.covers[i]);
  check_filters (body, make.filters, make.filter_count);
}

static void
check_furnish (const struct body *body)
{
  check_string (body, furnish.user_map);
  check_string (body, furnish.group_map);
  check_filters (body, furnish.filters, furnish.filter_count);
  DEMAND (furnish.operation_count <= BOUND_MAX_OPERATIONS);
  for (size_t i = 0; i < furnish.operation_count; i++)
    {
      const struct operation *operation = &furnish.operations[i];
      size_t start = (size_t) (operation->bytes - body->bytes);

      check_string (body, operation->path);
      DEMAND (operation->path[0] == '/');
      DEMAND (start <= body->length && operation->length <= body->length - start);
      if (operation->operation == OPERATION_BIND || operation->operation == OPERATION_TMPFS)
        check_string (body, (const char *) operation->bytes);
    }
}

static void
print_bytes (FILE *out, const uint8_t *bytes, size_t length)
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < length; i++)
    {
      putc_unlocked (digits[bytes[i] >> 4], out);
      putc_unlocked (digits[bytes[i] & 15], out);
    }
}

static void
print_string (FILE *out, const char *string)
{
  print_bytes (out, (const uint8_t *) string, strlen (string));
}

static const char *
comma (size_t index)
{
  return index > 0 ? "," : "";
}

static void
print_list (FILE *out, const char *name, char **list)
{
  size_t count = 0;

  while (list[count] != NULL)
    count++;
  fprintf (out, " %s=%zu:", name, count);
  for (size_t i = 0; i < count; i++)
    {
      fputs (comma (i), out);
      print_string (out, list[i]);
    }
}

static void
print_string_or_none (FILE *out, const char *name, const char *string)
{
  fprintf (out, " %s=%d:", name, string != NULL);
  if (string != NULL)
    print_string (out, string);
}

static void
print_filters (FILE *out, const struct filter *filters, size_t count)
{
  fprintf (out, " filter=%zu:", count);
  for (size_t i = 0; i < count; i++)
    {
      fputs (comma (i), out);
      print_bytes (out, filters[i].instructions, (size_t) filters[i].length * 8);
    }
}

static void
print_strings (FILE *out, const char *name, const char *const *strings, size_t count)
{
  fprintf (out, " %s=%zu:", name, count);
  for (size_t i = 0; i < count; i++)
    {
      fputs (comma (i), out);
      print_string (out, strings[i]);
    }
}

static void
print_make (FILE *out, uint32_t process)
{
  fprintf (out, "make %" PRIu32 " ns=1:%" PRIu32, process, make.namespaces);
  print_string_or_none (out, "uid", make.user_map);
  print_string_or_none (out, "gid", make.group_map);
  fprintf (out, " private=%zu:", make.private_count);
  for (size_t i = 0; i < make.private_count; i++)
    {
      fputs (comma (i), out);
      print_string (out, make.privates[i].path);
      fputc ('/', out);
      print_string (out, make.privates[i].options);
    }
  print_strings (out, "carried", make.carried, make.carried_count);
  print_strings (out, "cover", make.covers, make.cover_count);
  print_filters (out, make.filters, make.filter_count);
  fputc ('\n', out);
}

static void
print_furnish (FILE *out)
{
  fputs ("furnish", out);
  print_string_or_none (out, "uid", furnish.user_map);
  print_string_or_none (out, "gid", furnish.group_map);
  print_filters (out, furnish.filters, furnish.filter_count);
  fprintf (out, " op=%zu:", furnish.operation_count);
  for (size_t i = 0; i < furnish.operation_count; i++)
    {
      const struct operation *operation = &furnish.operations[i];

      fprintf (out, "%s%" PRIu32 "/%" PRIu32 "/", comma (i), operation->operation, operation->mode);
      print_string (out, operation->path);
      fputc ('/', out);
      print_bytes (out, operation->bytes, operation->length);
    }
  fputc ('\n', out);
}

static void
print_launch (FILE *out, uint32_t process)
{
  fprintf (out, "launch %" PRIu32, process);
  print_list (out, "argv", launch.arguments);
  print_list (out, "env", launch.variables);
  print_string_or_none (out, "dir", launch.directory);
  print_string_or_none (out, "path", launch.search_path);

  fprintf (out, " fd=%zu:", launch.mapping_count);
  for (size_t i = 0; i < launch.mapping_count; i++)
    {
      const struct mapping *mapping = &launch.mappings[i];

      fprintf (out, "%s%" PRIu32 "/%" PRIu32 "/%" PRIu32, comma (i), mapping->target, mapping->origin, mapping->source);
    }
  fprintf (out, " limit=%zu:", launch.limit_count);
  for (size_t i = 0; i < launch.limit_count; i++)
    {
      const struct limit *limit = &launch.limits[i];

      fprintf (out, "%s%" PRIu32 "/%" PRIu64 "/%" PRIu64, comma (i), limit->resource, limit->soft, limit->hard);
    }
  print_filters (out, launch.filters, launch.filter_count);
  fprintf (out, " id=%zu:", launch.identity_count);
  for (size_t i = 0; i < launch.identity_count; i++)
    {
      const struct identity *identity = &launch.identities[i];

      fprintf (out, "%s%" PRIu64 "/%" PRIu64 "/", comma (i), identity->device, identity->inode);
      print_string (out, identity->path);
    }
  fprintf (out, " timeout=%d:", launch.has_timeout);
  if (launch.has_timeout)
    fprintf (out, "%" PRIu64, launch.timeout);
  fprintf (out, " watch=%d:", launch.has_watch);
  if (launch.has_watch)
    fprintf (out, "%" PRIu64 "/%" PRIu64 "/%d", launch.watch.memory, launch.watch.processes,
             launch.watch.own_ipc ? WATCH_FLAG_OWN_IPC : 0);
  print_strings (out, "tmpfs", launch.tmpfs, launch.tmpfs_count);
  fputc ('\n', out);
}

/* Reads one body, and returns the refusal. */
static int
read_body (const struct frame *frame, uint8_t *bytes, FILE *out)
{
  const struct body body = { bytes, frame->length };
  uint32_t first;
  uint32_t second;
  int refusal;

  switch (frame->type)
    {
    case FRAME_HELLO:
      refusal = frame_read_hello (frame, bytes, &first);
      if (refusal == 0 && out != NULL)
        fprintf (out, "hello %" PRIu32 "\n", first);
      return refusal;
    case FRAME_LAUNCH:
      refusal = frame_read_launch (frame, bytes, &launch);
      if (refusal == 0)
        check_launch (&body);
      if (refusal == 0 && out != NULL)
        print_launch (out, frame->process);
      return refusal;
    case FRAME_MAKE:
      refusal = frame_read_make (frame, bytes, &make);
      if (refusal == 0)
        check_make (&body);
      if (refusal == 0 && out != NULL)
        print_make (out, frame->process);
      return refusal;
    case FRAME_FURNISH:
      refusal = frame_read_furnish (frame, bytes, &furnish);
      if (refusal == 0)
        check_furnish (&body);
      if (refusal == 0 && out != NULL)
        print_furnish (out);
      return refusal;
    case FRAME_SIGNAL:
      refusal = frame_read_signal (bytes, &first, &second);
      if (refusal == 0 && out != NULL)
        fprintf (out, "signal %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", frame->process, first, second);
      return refusal;
    default:
      if (out != NULL)
        fputs ("close\n", out);
      return 0;
    }
}

/* Memory of exactly this size, so that a read beyond it is found. */
static uint8_t *
exact_copy (const uint8_t *bytes, size_t size)
{
  uint8_t *copy = malloc (size);

  DEMAND (copy != NULL || size == 0);
  if (size > 0)
    memcpy (copy, bytes, size);
  return copy;
}

static void
check_frame (const struct frame *frame)
{
  DEMAND (frame->type >= FRAME_HELLO && frame->type <= FRAME_FURNISH);
  DEMAND (frame->length <= (frame->type == FRAME_LAUNCH || frame->type >= FRAME_MAKE ? BOUND_MAX_BODY : FRAME_MAX_SMALL_LENGTH));
  DEMAND (frame->type != FRAME_SIGNAL || frame->length == FRAME_SIGNAL_LENGTH);
}

/* Reads the frame at the start of `bytes`. Returns its size, 0 if it is cut off; `*refusal` is what became of it. */
static size_t
read_frame (const uint8_t *bytes, size_t size, bool greeted, FILE *out, int *refusal)
{
  struct frame frame;
  uint8_t *copy;

  if (size < HEADER_SIZE)
    return 0;
  copy = exact_copy (bytes, HEADER_SIZE);
  *refusal = frame_read_header (copy, greeted, &frame);
  free (copy);
  if (*refusal != 0)
    return size;
  check_frame (&frame);
  if (size - HEADER_SIZE < frame.length)
    return 0;

  copy = exact_copy (bytes + HEADER_SIZE, frame.length);
  *refusal = read_body (&frame, copy, out);
  free (copy);
  return HEADER_SIZE + frame.length;
}

void
read_stream (const uint8_t *bytes, size_t size, FILE *out)
{
  bool greeted = false;
  int refusal = 0;

  while (size > 0 && refusal == 0)
    {
      size_t length = read_frame (bytes, size, greeted, out, &refusal);

      if (length == 0)
        {
          if (out != NULL)
            fputs ("incomplete\n", out);
          return;
        }
      greeted = true;
      bytes += length;
      size -= length;
    }
  DEMAND (refusal >= 0 && refusal < REFUSAL_SINGLE_USE); /* those from there on are not the parser's */
  if (refusal != 0 && out != NULL)
    fprintf (out, "refused %d\n", refusal);
}
