// status: 77
// exit() deep in calls runs what was left for the end, in reverse order; nothing after it runs.
#include "program.h"

static void first(void) { say("registered first\n"); }
static void second(void) { say("registered second\n"); }

__attribute__((noinline)) static int descend(volatile int depth) {
  if (depth == 0) exit(77);
  return descend(depth - 1) + depth;
}

int main(void) {
  atexit(first);
  atexit(second);
  say("descending\n");
  int sum = descend(50);
  say_number(sum);
}
