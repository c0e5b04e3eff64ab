// Prints the time since its start at intervals: ticker [COUNT] [INTERVAL_MS]
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 5;
  long interval_ms = argc > 2 ? atol(argv[2]) : 500;
  if (argc > 3 || count < 1 || interval_ms < 0) {
    fprintf(stderr, "usage: ticker [COUNT] [INTERVAL_MS]\n");
    return 2;
  }
  struct timespec interval = {.tv_sec = interval_ms / 1000, .tv_nsec = interval_ms % 1000 * 1000000};
  double start = now_ms();
  for (long tick = 1; tick <= count; tick++) {
    nanosleep(&interval, NULL);
    printf("tick %ld of %ld after %.0f ms\n", tick, count, now_ms() - start);
    fflush(stdout);
  }
  return 0;
}
