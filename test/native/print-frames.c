/*
 * print-frames: reads any number of cases from standard input, each a little-endian 32-bit length and that many bytes of
 * a launcher, and prints for each what gio-sandbox-init's parser makes of it, then a line with a dot.
 *
 * print-frames FILE…: the files are the cases.
 */
#include "frame-stream.h"

#include <stdlib.h>

static void *
allocate (size_t size)
{
  void *memory = malloc (size > 0 ? size : 1);

  if (memory == NULL)
    abort ();
  return memory;
}

static void
print_case (FILE *in, size_t size)
{
  uint8_t *bytes = allocate (size);

  if (fread (bytes, 1, size, in) != size)
    abort ();
  read_stream (bytes, size, stdout);
  puts (".");
  free (bytes);
}

static void
print_file (const char *path)
{
  FILE *in = fopen (path, "rb");
  long size;

  if (in == NULL || fseek (in, 0, SEEK_END) != 0 || (size = ftell (in)) < 0)
    {
      perror (path);
      exit (1);
    }
  rewind (in);
  print_case (in, (size_t) size);
  fclose (in);
}

int
main (int argc, char **argv)
{
  uint8_t size[4];

  for (int i = 1; i < argc; i++)
    print_file (argv[i]);
  while (argc == 1 && fread (size, sizeof size, 1, stdin) == 1)
    print_case (stdin, (size_t) size[0] | (size_t) size[1] << 8 | (size_t) size[2] << 16 | (size_t) size[3] << 24);
  return fflush (stdout) != 0;
}
