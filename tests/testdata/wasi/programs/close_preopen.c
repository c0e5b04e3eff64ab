// wasi only
// After close_preopen of the suite: a preopen can be closed, what was opened through it stays.
#include "suite.h"

int main(void) {
  int dir;
  WASI(open_path(3, 0, ".", __WASI_OFLAGS_DIRECTORY, R(PATH_OPEN), &dir), 0);
  CHECK(dir > 3);
  WASI(__wasi_fd_close(3), 0);
  WASI(__wasi_fd_fdstat_get(3, &fdstat), E(BADF));
  WASI(__wasi_fd_close(3), E(BADF));
  WASI(__wasi_fd_fdstat_get(dir, &fdstat), 0);
  CHECK(fdstat.fs_filetype == __WASI_FILETYPE_DIRECTORY);
  say("ok\n");
}
