// status: 42
// What main returns is the status.
#include "program.h"

int main(void) {
  say("returning\n");
  return 42;
}
