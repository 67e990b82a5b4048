/* Descriptors of the calling process, all at once. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stddef.h>

/* Sets FD_CLOEXEC on every descriptor. Leaves errno alone. */
void descriptors_close_on_exec (void);

/* Closes every descriptor from 3 up but those in `kept`, which gets sorted. */
void descriptors_close_others (int *kept, size_t count);

#endif
