/* The entries of a /proc directory whose names are numbers: processes, descriptors. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include <stdbool.h>

/*
 * Calls `visit` for each number in the directory `fd`, which stays open, until it returns false. `visit` may close
 * descriptors, end processes. Returns 0, or -1 if the directory can't be read. Leaves errno alone.
 */
int each_number (int fd, bool (*visit) (int number, void *data), void *data);

/* Writes the decimal digits of `number`, at most ten, and `suffix` behind them. */
void write_number (char *path, unsigned number, const char *suffix);

#endif
