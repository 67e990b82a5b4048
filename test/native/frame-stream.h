/* Reads a launcher's bytes with the parser of gio-sandbox-init, as init does. */
#ifndef FRAME_STREAM_H
#define FRAME_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Reads frames up to the first that is refused or cut off. Prints one line a frame, in the format of
 * test/init/reference-decoder.ts, unless `out` is NULL. Aborts if the parser has broken a promise of frames.h.
 */
void read_stream (const uint8_t *bytes, size_t size, FILE *out);

#endif
