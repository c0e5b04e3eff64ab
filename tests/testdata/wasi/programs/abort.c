// status: 134
// abort() keeps what was written before, and runs nothing that was left for the end.
#include "program.h"

static void never(void) { say("not reached\n"); }

int main(void) {
  atexit(never);
  say("before\n");
  abort();
}
