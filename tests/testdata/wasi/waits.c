// Sleeps and polls, and writes what came of it.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long long now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
  long long before = now(CLOCK_MONOTONIC);
  struct timespec pause = {.tv_sec = 1, .tv_nsec = 500000000};
  nanosleep(&pause, NULL);
  printf("slept %lld\n", now(CLOCK_MONOTONIC) - before);
  printf("realtime %lld\n", now(CLOCK_REALTIME));
  struct timespec res;
  clock_getres(CLOCK_MONOTONIC, &res);
  printf("resolution %ld\n", res.tv_nsec);
  struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.fd = 1, .events = POLLOUT}};
  int count = poll(fds, 2, 1000);
  printf("both %d %d %d\n", count, fds[0].revents & POLLIN, fds[1].revents & POLLOUT);
  before = now(CLOCK_MONOTONIC);
  count = poll(fds, 1, 250);
  printf("input %d after %lld\n", count, now(CLOCK_MONOTONIC) - before);
  count = poll(fds, 1, -1);
  char byte;
  printf("input %d", count);
  printf(" read %zd\n", read(0, &byte, 1));
  unsigned char random[4];
  getentropy(random, 4);
  printf("random %d %d %d %d\n", random[0], random[1], random[2], random[3]);
  return 0;
}
