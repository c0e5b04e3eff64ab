// status: 255
// _exit() runs nothing that was left for the end.
#include "program.h"

static void never(void) { say("not reached\n"); }

int main(void) {
  atexit(never);
  say("leaving\n");
  _exit(255);
}
