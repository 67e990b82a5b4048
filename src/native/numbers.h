/* Lists the entries of a /proc directory whose names are numbers: processes, descriptors. */
#ifndef NUMBERS_H
#define NUMBERS_H

/*
 * Calls `visit` for each number in the directory `fd`, which stays open. `visit` may close descriptors, end processes.
 * Returns 0, or -1 if the directory can't be read. Leaves errno alone.
 */
int each_number (int fd, void (*visit) (int number, void *data), void *data);

#endif
