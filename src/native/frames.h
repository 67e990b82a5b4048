/*
 * Reads the launcher's frames. No I/O, no allocation, no state: bytes in, checked structures out.
 *
 * A function returns 0, or the REFUSAL_* that the frame deserves. What it fills points into the bytes it was given.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame
{
  uint32_t length; /* of the body */
  uint32_t type;
  uint32_t process;
};

struct mapping
{
  uint32_t target;
  uint32_t origin;
  uint32_t source;
};

struct limit
{
  uint32_t resource;
  uint64_t soft;
  uint64_t hard;
};

struct filter
{
  uint16_t length; /* in instructions */
  const uint8_t *instructions;
};

struct identity
{
  uint64_t device;
  uint64_t inode;
  const char *path;
};

/* What all processes of the sandbox may use together; UNLIMITED is no limit. */
struct watch
{
  uint64_t memory; /* bytes */
  uint64_t processes;
  bool own_ipc;
};

#define UNLIMITED UINT64_MAX

struct launch
{
  char **arguments;   /* ends in NULL; the element before the first may be overwritten */
  char **variables;   /* ends in NULL */
  const char *directory;
  const char *search_path; /* NULL: none */
  bool has_timeout;
  uint64_t timeout; /* milliseconds */
  bool has_watch;
  struct watch watch;
  size_t tmpfs_count;
  size_t mapping_count;
  size_t limit_count;
  size_t filter_count;
  size_t identity_count;
  struct limit limits[BOUND_MAX_LIMITS];
  struct filter filters[BOUND_MAX_FILTERS];
  struct mapping mappings[BOUND_MAX_DESCRIPTORS];
  struct identity identities[BOUND_MAX_IDENTITIES];
  const char *tmpfs[BOUND_MAX_TMPFS];
  /* a free element, the arguments, NULL, the variables, NULL */
  char *strings[1 + BOUND_MAX_STRINGS + 2];
};

/* An empty file system in memory: see tmpfs(5). */
struct private_directory
{
  const char *path;
  const char *options;
};

/* A sandbox to be made. */
struct make
{
  bool has_namespaces;
  uint32_t namespaces; /* NAMESPACE_FLAG_* */
  const char *user_map;
  const char *group_map;
  size_t private_count;
  size_t carried_count;
  size_t cover_count;
  size_t filter_count;
  struct private_directory privates[BOUND_MAX_TMPFS];
  const char *carried[BOUND_MAX_CARRIED];
  const char *covers[BOUND_MAX_COVERS];
  struct filter filters[BOUND_MAX_FILTERS];
};

struct operation
{
  uint32_t operation; /* OPERATION_* */
  uint32_t mode;      /* permission bits, or BIND_FLAG_* */
  const char *path;
  const uint8_t *bytes; /* a string where the operation wants one */
  size_t length;
};

/* A root directory to be made. */
struct furnish
{
  const char *user_map;
  const char *group_map;
  size_t filter_count;
  size_t operation_count;
  struct filter filters[BOUND_MAX_FILTERS];
  struct operation operations[BOUND_MAX_OPERATIONS];
};

#define FRAME_SIGNAL_LENGTH 8

#define FRAME_MAX_SMALL_LENGTH 64

/*
 * Reads HEADER_SIZE bytes. The frame must be one that may come, before (`greeted` false) or after HELLO, and its body
 * no longer than it may be: FRAME_MAX_SMALL_LENGTH for all but LAUNCH, MAKE and FURNISH.
 */
int frame_read_header (const uint8_t *bytes, bool greeted, struct frame *frame);

int frame_read_hello (const struct frame *frame, const uint8_t *body, uint32_t *flags);

/* `launch` needs no preparation. */
int frame_read_launch (const struct frame *frame, uint8_t *body, struct launch *launch);

/* `make` needs no preparation. */
int frame_read_make (const struct frame *frame, uint8_t *body, struct make *make);

/* `furnish` needs no preparation. */
int frame_read_furnish (const struct frame *frame, uint8_t *body, struct furnish *furnish);

/* Reads FRAME_SIGNAL_LENGTH bytes. */
int frame_read_signal (const uint8_t *body, uint32_t *signal_number, uint32_t *scope);

void write_u32 (uint8_t *bytes, uint32_t value);
void write_u64 (uint8_t *bytes, uint64_t value);

#endif
