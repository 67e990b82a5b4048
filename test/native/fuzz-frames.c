/* The target of tools/fuzz-init: the frame parser of gio-sandbox-init, on the bytes of a whole connection. */
#include "frame-stream.h"

int LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
  read_stream (bytes, size, NULL);
  return 0;
}
