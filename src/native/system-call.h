/*
 * System calls without libc's errno: a child that still shares init's memory would write into init's own.
 *
 * A call returns what the kernel does: an error is the negative errno.
 */
#ifndef SYSTEM_CALL_H
#define SYSTEM_CALL_H

#include <sys/syscall.h>

/* With up to four arguments: a fifth, which prctl() looks at, is 0. */
static inline long
system_call (long number, long a, long b, long c, long d)
{
#if defined __x86_64__
  long result;
  register long r10 __asm__ ("r10") = d;
  register long r8 __asm__ ("r8") = 0;

  __asm__ volatile ("syscall"
                    : "=a"(result)
                    : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                    : "rcx", "r11", "memory");
  return result;
#elif defined __aarch64__
  register long x8 __asm__ ("x8") = number;
  register long x0 __asm__ ("x0") = a;
  register long x1 __asm__ ("x1") = b;
  register long x2 __asm__ ("x2") = c;
  register long x3 __asm__ ("x3") = d;
  register long x4 __asm__ ("x4") = 0;

  __asm__ volatile ("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "gio-sandbox-init runs on x86_64 and aarch64"
#endif
}

#endif
