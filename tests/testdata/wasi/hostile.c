// Calls the interface with pointers and sizes that are wrong; the status is the number of the first surprise.
#include <stdint.h>
#include <wasi/api.h>

#define NOWHERE ((void *)0xfffffff0)
static int number;
#define GIVES(call, expected)                       \
  do {                                              \
    number++;                                       \
    if ((call) != (expected)) return number;        \
  } while (0)

static uint8_t *end_of_memory(void) { return (uint8_t *)(__builtin_wasm_memory_size(0) * 65536); }

int main(void) {
  __wasi_size_t size;
  __wasi_fd_t fd;
  uint8_t buffer[64];
  uint8_t *end = end_of_memory();
  __wasi_ciovec_t outside = {.buf = NOWHERE, .buf_len = 32};
  __wasi_ciovec_t huge = {.buf = buffer, .buf_len = 0xffffffff};
  __wasi_ciovec_t good = {.buf = buffer, .buf_len = 1};
  __wasi_iovec_t into = {.buf = end - 4, .buf_len = 5};
  GIVES(__wasi_fd_write(1, NOWHERE, 1, &size), 21);
  GIVES(__wasi_fd_write(1, &outside, 1, &size), 21);
  GIVES(__wasi_fd_write(1, &huge, 1, &size), 21);
  GIVES(__wasi_fd_write(1, &good, 1, NOWHERE), 21);
  GIVES(__wasi_fd_write(1, &good, 0x20000000, &size), 28);
  GIVES(__wasi_fd_write(1, &good, 0xffffffff, &size), 28);
  GIVES(__wasi_fd_read(0, &into, 1, &size), 21);
  GIVES(__wasi_random_get(end - 1, 2), 21);
  GIVES(__wasi_random_get(buffer, 0xffffffff), 21);
  GIVES(__wasi_random_get(end, 0), 0);
  GIVES(__wasi_args_sizes_get(NOWHERE, &size), 21);
  GIVES(__wasi_clock_time_get(0, 0, (void *)(end - 7)), 21);
  GIVES(__wasi_clock_time_get(77, 0, (void *)buffer), 28);
  GIVES(__wasi_fd_prestat_dir_name(3, NOWHERE, 100), 21);
  GIVES(__wasi_fd_readdir(3, NOWHERE, 100, 0, &size), 21);
  GIVES(__wasi_poll_oneoff(NOWHERE, (void *)buffer, 1, &size), 21);
  GIVES(__wasi_poll_oneoff((void *)buffer, (void *)buffer, 0, &size), 28);
  GIVES(__wasi_poll_oneoff((void *)buffer, (void *)buffer, 0x7fffffff, &size), 28);
  GIVES(__wasi_path_open(3, 0, "", 0, 0, 0, 0, &fd), 44);
  GIVES(__wasi_path_open(3, 0, "\xff\xfe", 0, 0, 0, 0, &fd), 25);
  GIVES(__wasi_path_open(3, 0, "x", 1, 0, 0, 0, NOWHERE), 21);
  GIVES(__wasi_path_open(1, 0, "x", 1, 0, 0, 0, &fd), 54);
  GIVES(__wasi_path_open(3, 0, "x", 1, 0, 0, 0xffff, &fd), 28);
  GIVES(__wasi_fd_close(-1), 8);
  GIVES(__wasi_fd_close(0x7fffffff), 8);
  GIVES(__wasi_fd_renumber(3, 1000), 8);
  GIVES(__wasi_sock_shutdown(1, 1), 57);
  GIVES(__wasi_sock_shutdown(99, 1), 8);
  // The memory grows and everything still works.
  if (__builtin_wasm_memory_grow(0, 1) == (__SIZE_TYPE__)-1) return 200;
  GIVES(__wasi_random_get(end, 65536), 0);
  GIVES(__wasi_fd_write(1, &good, 1, &size), 0);
  return 0;
}
