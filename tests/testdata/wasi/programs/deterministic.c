// stdin: one
// stdin: two
// deterministic
// Everything a deterministic run gives a program, printed in full: the same on every host.
#include "program.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

static long long now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
  SAY(now(CLOCK_REALTIME));
  SAY(now(CLOCK_MONOTONIC));
  unsigned char random[8];
  getentropy(random, sizeof random);
  for (size_t i = 0; i < sizeof random; i++) SAY(random[i]);
  // An hour takes no time; spinning takes some steps.
  SAY(sleep(3600));
  SAY(now(CLOCK_REALTIME));
  long long end = now(CLOCK_MONOTONIC) + 10000000, readings = 0;
  while (now(CLOCK_MONOTONIC) < end) readings++;
  SAY(readings);
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  write(fd, "x", 1);
  struct stat status;
  fstat(fd, &status);
  SAY(status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec);
  SAY((long long)status.st_ino);
  fcntl(0, F_SETFL, O_NONBLOCK);
  struct pollfd input = {0, POLLIN, 0};
  char buffer[100];
  do {
    SAY(poll(&input, 1, 0));
    SAY(read(0, buffer, sizeof buffer));
    if (say_value > 0) say_bytes(buffer, say_value);
  } while (say_value > 0);
  SAY(now(CLOCK_MONOTONIC));
}
