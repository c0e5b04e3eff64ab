// wasi only
// After overwrite_preopen of the suite: another directory can take the number of a preopen.
#include "suite.h"

int main(void) {
  int dir = scratch();
  __wasi_fdstat_t before;
  WASI(__wasi_fd_fdstat_get(dir, &before), 0);
  WASI(__wasi_fd_renumber(dir, 3), 0);
  WASI(__wasi_fd_fdstat_get(dir, &fdstat), E(BADF));
  WASI(__wasi_fd_fdstat_get(3, &fdstat), 0);
  CHECK(!memcmp(&before, &fdstat, sizeof before));
  create(3, "inside");
  say("ok\n");
}
