// futimens in all its ways: given times, now, and left alone.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

static struct stat st;

static void times(int fd) {
  fstat(fd, &st);
  long long now = time(NULL);
  // Now is not the same everywhere.
  say("accessed ");
  if (st.st_atim.tv_sec > now - 100) say("now");
  else { say_number(st.st_atim.tv_sec); say("."); say_number(st.st_atim.tv_nsec); }
  say(", changed ");
  if (st.st_mtim.tv_sec > now - 100) say("now");
  else { say_number(st.st_mtim.tv_sec); say("."); say_number(st.st_mtim.tv_nsec); }
  say(st.st_ctim.tv_sec > now - 100 ? ", status now\n" : ", status before\n");
}

#ifdef __wasi__
#include <wasi/api.h>

// The wasi-libc of Debian 12 takes UTIME_NOW and UTIME_OMIT of the second time for wrong ones, and sets 1970 for NULL.
static int set_flags(int fd, long a, long m, long long base) {
  __wasi_fstflags_t flags = 0;
  if (a == UTIME_NOW) flags |= __WASI_FSTFLAGS_ATIM_NOW;
  else if (a != UTIME_OMIT) flags |= __WASI_FSTFLAGS_ATIM;
  if (m == UTIME_NOW) flags |= __WASI_FSTFLAGS_MTIM_NOW;
  else if (m != UTIME_OMIT) flags |= __WASI_FSTFLAGS_MTIM;
  errno = __wasi_fd_filestat_set_times(fd, base * 1000000000 + a, 2 * base * 1000000000 + m, flags);
  return errno ? -1 : 0;
}
static int set(int fd, long a, long m) { return set_flags(fd, a, m, 1000); }
#define futimens(fd, times) set_flags(fd, UTIME_NOW, UTIME_NOW, 0)
#else
static int set(int fd, long a, long m) {
  struct timespec both[2] = {{.tv_sec = 1000, .tv_nsec = a}, {.tv_sec = 2000, .tv_nsec = m}};
  return futimens(fd, both);
}
#endif

int main(void) {
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  times(fd);
  SAY(set(fd, 1, 999999999));
  times(fd);
  SAY(set(fd, UTIME_OMIT, 3));
  times(fd);
  SAY(set(fd, 4, UTIME_OMIT));
  times(fd);
  SAY(set(fd, UTIME_OMIT, UTIME_OMIT));
  times(fd);
  SAY(set(fd, UTIME_NOW, UTIME_OMIT));
  times(fd);
  SAY(set(fd, 5, UTIME_NOW));
  times(fd);
  SAY(set(fd, 6, 6));
  SAY(set(fd, UTIME_NOW, UTIME_NOW));
  times(fd);
  SAY(set(fd, 7, 7));
  SAY(futimens(fd, NULL));
  times(fd);
  SAY(set(fd, 8, 8));
  SAY(write(fd, "", 0));
  times(fd);
  SAY(write(fd, "x", 1));
  times(fd);
  SAY(set(fd, 9, 9));
  SAY(ftruncate(fd, 0));
  times(fd);
  int reader = open("file", O_RDONLY);
  SAY(set(reader, 10, 10));
  times(reader);
  int dir = open(".", O_RDONLY | O_DIRECTORY);
  SAY(set(dir, 11, 12));
  times(dir);
  SAY(close(open("new", O_CREAT | O_WRONLY, 0644)));
  times(dir);
  SAY(set(dir, UTIME_OMIT, 13));
  SAY(unlink("new"));
  times(dir);
  SAY(set(99, 1, 1));
}
