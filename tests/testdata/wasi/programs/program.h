// What the programs of this directory say and check with. Small on purpose: printf alone would take 20 kB of each binary.
#pragma once
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Errors by name: their numbers differ between systems.
static inline const char *error_name(int error) {
#define NAME(e) if (error == e) return #e
  NAME(E2BIG); NAME(EACCES); NAME(EAGAIN); NAME(EBADF); NAME(EBUSY); NAME(EDOM); NAME(EEXIST); NAME(EFAULT);
  NAME(EFBIG); NAME(EILSEQ); NAME(EINVAL); NAME(EIO); NAME(EISDIR); NAME(ELOOP); NAME(EMFILE); NAME(EMLINK);
  NAME(ENAMETOOLONG); NAME(ENFILE); NAME(ENODEV); NAME(ENOENT); NAME(ENOMEM); NAME(ENOSPC); NAME(ENOSYS);
  NAME(ENOTDIR); NAME(ENOTEMPTY); NAME(ENOTSOCK); NAME(ENOTSUP); NAME(ENOTTY); NAME(ENXIO); NAME(EOVERFLOW);
  NAME(EPERM); NAME(EPIPE); NAME(ERANGE); NAME(EROFS); NAME(ESPIPE); NAME(EXDEV);
#ifdef __wasi__
  NAME(ENOTCAPABLE);
#endif
#undef NAME
  return "another error";
}

static char line_buffer[8192];
static size_t line_used;

// Standard output is written once for each line.
static inline void say_bytes(const void *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    line_buffer[line_used++] = ((const char *)bytes)[i];
    if (line_used == sizeof line_buffer || line_buffer[line_used - 1] == '\n') {
      if (write(1, line_buffer, line_used) < 0) _exit(99);
      line_used = 0;
    }
  }
}

static inline void say(const char *text) { say_bytes(text, strlen(text)); }

static inline void say_number(long long number) {
  char digits[24];
  size_t at = sizeof digits;
  unsigned long long rest = number < 0 ? -(unsigned long long)number : (unsigned long long)number;
  do digits[--at] = '0' + rest % 10;
  while ((rest /= 10) > 0);
  if (number < 0) digits[--at] = '-';
  say_bytes(digits + at, sizeof digits - at);
}

static inline void say_result(const char *what, long long result, int error) {
  say(what);
  say(" = ");
  if (result == -1) say(error_name(error));
  else say_number(result);
  say("\n");
}

// Says what a call answers: its result, or the name of its error for -1.
#define SAY(call) (errno = 0, say_value = (long long)(call), say_result(#call, say_value, errno))
static long long say_value;

// Calls that give a descriptor: whether they do, as numbers may differ. The descriptor is closed at once.
#define SAY_OPEN(call) say_open(#call, (errno = 0, call))
static inline void say_open(const char *what, int fd) {
  int error = errno;
  if (fd >= 0) close(fd);
  say_result(what, fd < 0 ? -1 : 0, error);
}

// Calls of wasi/api.h, which return their error.
#define SAY_WASI(call) (say_value = (call), say_result(#call, say_value == 0 ? 0 : -1, (int)say_value))

static inline void say_pair(const char *what, const char *value) { say(what); say(": "); say(value); say("\n"); }

// For programs that check themselves: the first thing that is not so ends them.
#define CHECK(condition)                                          \
  do {                                                            \
    if (!(condition)) {                                           \
      int error = errno;                                          \
      say(__FILE__); say(":"); say_number(__LINE__);              \
      say(": not so: " #condition " ("); say(error_name(error));  \
      say(")\n");                                                 \
      exit(1);                                                    \
    }                                                             \
  } while (0)
#define FAILS(call, error) CHECK((errno = 0, (call) == -1 && errno == (error)))
#define WASI(call, error) CHECK((errno = (call)) == (error))
