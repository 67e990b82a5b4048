#include "frames.h"

#include <endian.h>
#include <string.h>

static uint32_t
read_u32 (const uint8_t *bytes)
{
  uint32_t value;

  memcpy (&value, bytes, sizeof value);
  return le32toh (value);
}

static uint64_t
read_u64 (const uint8_t *bytes)
{
  uint64_t value;

  memcpy (&value, bytes, sizeof value);
  return le64toh (value);
}

void
write_u32 (uint8_t *bytes, uint32_t value)
{
  value = htole32 (value);
  memcpy (bytes, &value, sizeof value);
}

void
write_u64 (uint8_t *bytes, uint64_t value)
{
  value = htole64 (value);
  memcpy (bytes, &value, sizeof value);
}

int
frame_read_header (const uint8_t *bytes, bool greeted, struct frame *frame)
{
  frame->length = read_u32 (bytes);
  frame->type = read_u32 (bytes + 4);
  frame->process = read_u32 (bytes + 8);

  if (!greeted && frame->type != FRAME_HELLO)
    return REFUSAL_NOT_HELLO;
  if (frame->length > BOUND_MAX_BODY)
    return REFUSAL_TOO_LONG;

  switch (frame->type)
    {
    case FRAME_HELLO:
      return greeted || frame->length > FRAME_MAX_SMALL_LENGTH ? REFUSAL_MALFORMED : 0;
    case FRAME_LAUNCH:
    case FRAME_MAKE:
      if (frame->process == 0)
        return REFUSAL_PROCESS_NUMBER;
      return frame->length == 0 ? REFUSAL_MALFORMED : 0;
    case FRAME_FURNISH:
      return frame->process != 0 || frame->length == 0 ? REFUSAL_MALFORMED : 0;
    case FRAME_SIGNAL:
      return frame->length != FRAME_SIGNAL_LENGTH ? REFUSAL_MALFORMED : 0;
    case FRAME_CLOSE:
      return frame->length != 0 || frame->process != 0 ? REFUSAL_MALFORMED : 0;
    default:
      return REFUSAL_UNKNOWN_FRAME;
    }
}

int
frame_read_hello (const struct frame *frame, const uint8_t *body, uint32_t *flags)
{
  /* A later version may have a longer HELLO: it shall hear that the version is what is wrong. */
  if (frame->length < 8)
    return REFUSAL_MALFORMED;
  if (read_u32 (body) != MAGIC)
    return REFUSAL_BAD_MAGIC;
  if (read_u32 (body + 4) != VERSION)
    return REFUSAL_BAD_VERSION;
  if (frame->length != 12 || frame->process != 0)
    return REFUSAL_MALFORMED;

  *flags = read_u32 (body + 8);
  if (*flags == HELLO_FLAG_TEMPLATE)
    return 0;
  if ((*flags & HELLO_FLAG_NOT_PID_1) != 0 && (*flags & HELLO_FLAG_FURNISH) != 0)
    return REFUSAL_MALFORMED;
  return (*flags & ~(uint32_t) (HELLO_FLAG_SINGLE_USE | HELLO_FLAG_NOT_PID_1 | HELLO_FLAG_FURNISH)) != 0
           ? REFUSAL_MALFORMED
           : 0;
}

int
frame_read_signal (const uint8_t *body, uint32_t *signal_number, uint32_t *scope)
{
  *signal_number = read_u32 (body);
  *scope = read_u32 (body + 4);
  return *scope > SIGNAL_SCOPE_TREE ? REFUSAL_MALFORMED : 0;
}

struct section
{
  uint32_t tag;
  uint32_t length;
  uint8_t *content;
};

/* Takes the section at `*offset` and moves the offset behind its padding. */
static int
next_section (const struct frame *frame, uint8_t *body, size_t *offset, struct section *section)
{
  size_t left = frame->length - *offset;
  size_t padded;

  if (left < 8)
    return REFUSAL_MALFORMED;
  section->tag = read_u32 (body + *offset);
  section->length = read_u32 (body + *offset + 4);
  section->content = body + *offset + 8;
  left -= 8;

  padded = ((size_t) section->length + 3) & ~(size_t) 3;
  if (padded > left)
    return REFUSAL_MALFORMED;
  for (size_t i = section->length; i < padded; i++)
    if (section->content[i] != 0)
      return REFUSAL_MALFORMED;

  *offset += 8 + padded;
  return 0;
}

/* Whether these bytes are a string: the one NUL is at the end. */
static bool
is_string (const uint8_t *bytes, size_t length)
{
  return length > 0 && memchr (bytes, 0, length) == bytes + length - 1;
}

static int
read_string_once (const struct section *section, const char **string)
{
  if (*string != NULL || !is_string (section->content, section->length))
    return REFUSAL_MALFORMED;
  *string = (const char *) section->content;
  return 0;
}

static int
read_mapping (const struct section *section, struct launch *launch)
{
  struct mapping *mapping;

  if (section->length != 12)
    return REFUSAL_MALFORMED;
  if (launch->mapping_count == BOUND_MAX_DESCRIPTORS)
    return REFUSAL_TOO_MANY;

  mapping = &launch->mappings[launch->mapping_count++];
  mapping->target = read_u32 (section->content);
  mapping->origin = read_u32 (section->content + 4);
  mapping->source = read_u32 (section->content + 8);
  return mapping->origin > ORIGIN_RECEIVED ? REFUSAL_MALFORMED : 0;
}

static int
read_limit (const struct section *section, struct launch *launch)
{
  struct limit *limit;

  if (section->length != 24 || read_u32 (section->content + 4) != 0)
    return REFUSAL_MALFORMED;
  if (launch->limit_count == BOUND_MAX_LIMITS)
    return REFUSAL_TOO_MANY;

  limit = &launch->limits[launch->limit_count++];
  limit->resource = read_u32 (section->content);
  limit->soft = read_u64 (section->content + 8);
  limit->hard = read_u64 (section->content + 16);
  return 0;
}

static int
read_filter (const struct section *section, struct filter filters[BOUND_MAX_FILTERS], size_t *count)
{
  struct filter *filter;

  if (section->length == 0 || section->length % 8 != 0)
    return REFUSAL_MALFORMED;
  if (*count == BOUND_MAX_FILTERS || section->length / 8 > BOUND_MAX_FILTER_LENGTH)
    return REFUSAL_TOO_MANY;

  filter = &filters[(*count)++];
  filter->length = (uint16_t) (section->length / 8);
  filter->instructions = section->content;
  return 0;
}

static int
read_identity (const struct section *section, struct launch *launch)
{
  struct identity *identity;

  if (section->length < 16 || !is_string (section->content + 16, section->length - 16))
    return REFUSAL_MALFORMED;
  if (launch->identity_count == BOUND_MAX_IDENTITIES)
    return REFUSAL_TOO_MANY;

  identity = &launch->identities[launch->identity_count++];
  identity->device = read_u64 (section->content);
  identity->inode = read_u64 (section->content + 8);
  identity->path = (const char *) (section->content + 16);
  return 0;
}

static int
read_timeout (const struct section *section, struct launch *launch)
{
  if (section->length != 8 || launch->has_timeout)
    return REFUSAL_MALFORMED;
  launch->has_timeout = true;
  launch->timeout = read_u64 (section->content);
  return 0;
}

static int
read_watch (const struct section *section, struct launch *launch)
{
  uint32_t flags;

  if (section->length != 24 || launch->has_watch)
    return REFUSAL_MALFORMED;
  flags = read_u32 (section->content + 16);
  if ((flags & ~(uint32_t) WATCH_FLAG_OWN_IPC) != 0 || read_u32 (section->content + 20) != 0)
    return REFUSAL_MALFORMED;

  launch->has_watch = true;
  launch->watch.memory = read_u64 (section->content);
  launch->watch.processes = read_u64 (section->content + 8);
  launch->watch.own_ipc = (flags & WATCH_FLAG_OWN_IPC) != 0;
  return 0;
}

static int
read_path (const struct section *section, const char **paths, size_t *count, size_t most)
{
  if (!is_string (section->content, section->length))
    return REFUSAL_MALFORMED;
  if (*count == most)
    return REFUSAL_TOO_MANY;
  paths[(*count)++] = (const char *) section->content;
  return 0;
}

struct string_counts
{
  size_t arguments;
  size_t variables;
};

static int
count_string (const struct section *section, struct string_counts *counts)
{
  if (!is_string (section->content, section->length))
    return REFUSAL_MALFORMED;
  if (counts->arguments + counts->variables == BOUND_MAX_STRINGS)
    return REFUSAL_TOO_MANY;

  if (section->tag == SECTION_ARGUMENT)
    counts->arguments++;
  else
    counts->variables++;
  return 0;
}

static int
read_section (const struct section *section, struct launch *launch, struct string_counts *counts)
{
  switch (section->tag)
    {
    case SECTION_ARGUMENT:
    case SECTION_VARIABLE:
      return count_string (section, counts);
    case SECTION_DIRECTORY:
      return read_string_once (section, &launch->directory);
    case SECTION_SEARCH_PATH:
      return read_string_once (section, &launch->search_path);
    case SECTION_DESCRIPTOR:
      return read_mapping (section, launch);
    case SECTION_LIMIT:
      return read_limit (section, launch);
    case SECTION_FILTER:
      return read_filter (section, launch->filters, &launch->filter_count);
    case SECTION_IDENTITY:
      return read_identity (section, launch);
    case SECTION_TIMEOUT:
      return read_timeout (section, launch);
    case SECTION_WATCH:
      return read_watch (section, launch);
    case SECTION_TMPFS:
      return read_path (section, launch->tmpfs, &launch->tmpfs_count, BOUND_MAX_TMPFS);
    default:
      return REFUSAL_UNKNOWN_SECTION;
    }
}

/* Second pass over sections that are known to be right: now the number of arguments, and so their place, is known. */
static int
place_strings (const struct frame *frame, uint8_t *body, struct launch *launch, const struct string_counts *counts)
{
  char **argument = launch->strings + 1;
  char **variable = argument + counts->arguments + 1;
  size_t offset = 0;

  launch->arguments = argument;
  launch->variables = variable;
  while (offset < frame->length)
    {
      struct section section;
      int refusal = next_section (frame, body, &offset, &section);

      if (refusal != 0)
        return refusal;
      if (section.tag == SECTION_ARGUMENT)
        *argument++ = (char *) section.content;
      else if (section.tag == SECTION_VARIABLE)
        *variable++ = (char *) section.content;
    }
  *argument = NULL;
  *variable = NULL;
  return 0;
}

int
frame_read_launch (const struct frame *frame, uint8_t *body, struct launch *launch)
{
  struct string_counts counts = { 0, 0 };
  size_t offset = 0;

  launch->directory = NULL;
  launch->search_path = NULL;
  launch->has_timeout = false;
  launch->timeout = 0;
  launch->has_watch = false;
  launch->tmpfs_count = 0;
  launch->mapping_count = 0;
  launch->limit_count = 0;
  launch->filter_count = 0;
  launch->identity_count = 0;

  while (offset < frame->length)
    {
      struct section section;
      int refusal = next_section (frame, body, &offset, &section);

      if (refusal == 0)
        refusal = read_section (&section, launch, &counts);
      if (refusal != 0)
        return refusal;
    }
  if (counts.arguments == 0)
    return REFUSAL_MALFORMED;
  if (launch->directory == NULL)
    launch->directory = "/";
  return place_strings (frame, body, launch, &counts);
}

static int
read_namespaces (const struct section *section, struct make *make)
{
  if (section->length != 4 || make->has_namespaces)
    return REFUSAL_MALFORMED;
  make->has_namespaces = true;
  make->namespaces = read_u32 (section->content);
  return (make->namespaces & ~(uint32_t) (NAMESPACE_FLAG_NETWORK | NAMESPACE_FLAG_IPC)) != 0 ? REFUSAL_MALFORMED : 0;
}

static int
read_private (const struct section *section, struct make *make)
{
  struct private_directory *directory;
  const uint8_t *end = memchr (section->content, 0, section->length);
  size_t path_length;

  if (end == NULL)
    return REFUSAL_MALFORMED;
  path_length = (size_t) (end - section->content) + 1;
  if (!is_string (end + 1, section->length - path_length))
    return REFUSAL_MALFORMED;
  if (make->private_count == BOUND_MAX_TMPFS)
    return REFUSAL_TOO_MANY;

  directory = &make->privates[make->private_count++];
  directory->path = (const char *) section->content;
  directory->options = (const char *) (section->content + path_length);
  return 0;
}

static int
read_section_of_make (const struct section *section, struct make *make)
{
  switch (section->tag)
    {
    case SECTION_NAMESPACES:
      return read_namespaces (section, make);
    case SECTION_USER_MAP:
      return read_string_once (section, &make->user_map);
    case SECTION_GROUP_MAP:
      return read_string_once (section, &make->group_map);
    case SECTION_PRIVATE:
      return read_private (section, make);
    case SECTION_COVER:
      return read_path (section, make->covers, &make->cover_count, BOUND_MAX_COVERS);
    case SECTION_CARRIED:
      return read_path (section, make->carried, &make->carried_count, BOUND_MAX_CARRIED);
    case SECTION_FILTER:
      return read_filter (section, make->filters, &make->filter_count);
    default:
      return REFUSAL_UNKNOWN_SECTION;
    }
}

int
frame_read_make (const struct frame *frame, uint8_t *body, struct make *make)
{
  size_t offset = 0;

  *make = (struct make){ 0 };
  while (offset < frame->length)
    {
      struct section section;
      int refusal = next_section (frame, body, &offset, &section);

      if (refusal == 0)
        refusal = read_section_of_make (&section, make);
      if (refusal != 0)
        return refusal;
    }
  return make->has_namespaces && make->user_map != NULL && make->group_map != NULL ? 0 : REFUSAL_MALFORMED;
}

static bool
has_right_bytes (const struct operation *operation)
{
  switch (operation->operation)
    {
    case OPERATION_FILE:
      return true;
    case OPERATION_SYMLINK:
    case OPERATION_BIND:
    case OPERATION_TMPFS:
      return is_string (operation->bytes, operation->length);
    default:
      return operation->length == 0;
    }
}

static bool
has_right_mode (const struct operation *operation)
{
  switch (operation->operation)
    {
    case OPERATION_DIRECTORY:
    case OPERATION_FILE:
      return operation->mode <= 07777;
    case OPERATION_BIND:
      return operation->mode <= (BIND_FLAG_READ_ONLY | BIND_FLAG_DEVICES | BIND_FLAG_OPTIONAL);
    default:
      return operation->mode == 0;
    }
}

static int
read_operation (const struct section *section, struct furnish *furnish)
{
  struct operation *operation;
  const uint8_t *path = section->content + 8;
  const uint8_t *end = section->length < 8 ? NULL : memchr (path, 0, section->length - 8);

  /* absolute, so that there is something behind the slash or it is the root directory */
  if (end == NULL || *path != '/')
    return REFUSAL_MALFORMED;
  if (furnish->operation_count == BOUND_MAX_OPERATIONS)
    return REFUSAL_TOO_MANY;

  operation = &furnish->operations[furnish->operation_count++];
  operation->operation = read_u32 (section->content);
  operation->mode = read_u32 (section->content + 4);
  operation->path = (const char *) path;
  operation->bytes = end + 1;
  operation->length = section->length - (size_t) (end + 1 - section->content);
  if (operation->operation < OPERATION_DIRECTORY || operation->operation > OPERATION_READ_ONLY)
    return REFUSAL_MALFORMED;
  return has_right_bytes (operation) && has_right_mode (operation) ? 0 : REFUSAL_MALFORMED;
}

static int
read_section_of_furnish (const struct section *section, struct furnish *furnish)
{
  switch (section->tag)
    {
    case SECTION_USER_MAP:
      return read_string_once (section, &furnish->user_map);
    case SECTION_GROUP_MAP:
      return read_string_once (section, &furnish->group_map);
    case SECTION_FILTER:
      return read_filter (section, furnish->filters, &furnish->filter_count);
    case SECTION_OPERATION:
      return read_operation (section, furnish);
    default:
      return REFUSAL_UNKNOWN_SECTION;
    }
}

int
frame_read_furnish (const struct frame *frame, uint8_t *body, struct furnish *furnish)
{
  size_t offset = 0;

  furnish->user_map = NULL;
  furnish->group_map = NULL;
  furnish->filter_count = 0;
  furnish->operation_count = 0;
  while (offset < frame->length)
    {
      struct section section;
      int refusal = next_section (frame, body, &offset, &section);

      if (refusal == 0)
        refusal = read_section_of_furnish (&section, furnish);
      if (refusal != 0)
        return refusal;
    }
  return furnish->user_map != NULL && furnish->group_map != NULL ? 0 : REFUSAL_MALFORMED;
}
