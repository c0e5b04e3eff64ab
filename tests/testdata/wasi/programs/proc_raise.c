// status: 134
// wasi only
// Signals that are ignored by default come back, numbers without a signal are refused, and the others end the program.
#include "program.h"
#include <stdint.h>

int32_t proc_raise(int32_t signal) __attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_raise")));

int main(void) {
  // None, CHLD, CONT, URG, WINCH.
  const int ignored[] = {0, 16, 17, 22, 27};
  for (int i = 0; i < 5; i++) WASI(proc_raise(ignored[i]), 0);
  const int unknown[] = {31, 64, 255, 256, -1, INT32_MIN};
  for (int i = 0; i < 6; i++) WASI(proc_raise(unknown[i]), EINVAL);
  say("ok\n");
  proc_raise(15);
  say("not reached\n");
}
