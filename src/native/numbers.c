#include "numbers.h"

#include "system-call.h"

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The number that `name` is, or -1. */
static int
number_of (const char *name)
{
  int number = 0;

  if (*name == 0)
    return -1;
  for (; *name != 0; name++)
    {
      if (*name < '0' || *name > '9' || number > (INT_MAX - 9) / 10)
        return -1;
      number = number * 10 + (*name - '0');
    }
  return number;
}

void
write_number (char *path, unsigned number, const char *suffix)
{
  char digits[12];
  int length = 0;

  do
    digits[length++] = (char) ('0' + number % 10);
  while ((number /= 10) != 0);
  while (length > 0)
    *path++ = digits[--length];
  strcpy (path, suffix);
}

int
each_number (int fd, bool (*visit) (int number, void *data), void *data)
{
  /* struct dirent64 as the kernel fills it; opendir() would allocate */
  _Alignas (struct dirent64) char entries[2048];
  long length;

  while ((length = system_call (SYS_getdents64, fd, (long) entries, sizeof entries, 0)) > 0)
    for (long offset = 0; offset < length;)
      {
        const char *entry = entries + offset;
        uint16_t size;
        int number;

        memcpy (&size, entry + offsetof (struct dirent64, d_reclen), sizeof size);
        number = number_of (entry + offsetof (struct dirent64, d_name));
        if (number >= 0 && !visit (number, data))
          return 0;
        offset += size;
      }
  return length < 0 ? -1 : 0;
}
