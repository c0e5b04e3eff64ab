// wasi only
// preopen: a/long/name
// fd_prestat_dir_name into buffers of every size, none of which is written past.
#include "program.h"
#include <wasi/api.h>

int main(void) {
  uint8_t buffer[16];
  for (__wasi_size_t size = 0; size < 16; size++) {
    memset(buffer, 'x', sizeof buffer);
    int fits = size >= 11;
    WASI(__wasi_fd_prestat_dir_name(4, buffer, size), fits ? 0 : __WASI_ERRNO_NAMETOOLONG);
    CHECK(!memcmp(buffer, fits ? "a/long/namexxxxx" : "xxxxxxxxxxxxxxxx", 16));
  }
  WASI(__wasi_fd_prestat_dir_name(1, buffer, 16), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_prestat_dir_name(5, buffer, 16), __WASI_ERRNO_BADF);
  say("ok\n");
}
