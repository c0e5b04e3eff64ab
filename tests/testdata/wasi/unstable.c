// bare: imports wasi_unstable, whose structures and whence differ, and writes what it gets as bytes.
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("wasi_unstable"), import_name(name)))
IMPORT("path_open") int path_open(int, int, const char *, int, int, uint64_t, uint64_t, int, int *);
IMPORT("fd_write") int fd_write(int, const void *, int, int *);
IMPORT("fd_seek") int fd_seek(int, int64_t, int, uint64_t *);
IMPORT("fd_filestat_get") int fd_filestat_get(int, void *);
IMPORT("path_filestat_get") int path_filestat_get(int, int, const char *, int, void *);
IMPORT("poll_oneoff") int poll_oneoff(const void *, void *, int, int *);
IMPORT("proc_exit") _Noreturn void proc_exit(int);

struct filestat {
  uint64_t dev, ino;
  uint8_t type;
  uint32_t nlink;
  uint64_t size, atim, mtim, ctim;
};
struct clock {
  uint64_t userdata;
  uint8_t tag;
  uint64_t identifier;
  uint32_t id;
  uint64_t timeout, precision;
  uint16_t flags;
};
struct piece {
  const void *data;
  uint32_t length;
};
_Static_assert(sizeof(struct filestat) == 56 && sizeof(struct clock) == 56, "layouts of wasi_unstable");

void _start(void) {
  int fd, count;
  uint64_t position, event[4];
  struct filestat stat;
  struct piece word = {"hello", 5};
  if (path_open(3, 0, "file", 4, 1, 0x600064, 0, 0, &fd)) proc_exit(1);
  if (fd_write(fd, &word, 1, &count) || count != 5) proc_exit(2);
  if (fd_seek(fd, 1, 2, &position) || position != 1) proc_exit(3);
  if (fd_seek(fd, 2, 0, &position) || position != 3) proc_exit(4);
  if (fd_seek(fd, -1, 1, &position) || position != 4) proc_exit(5);
  if (fd_seek(fd, 0, 3, &position) != 28) proc_exit(6);
  if (fd_filestat_get(fd, &stat) || stat.size != 5 || stat.nlink != 1 || stat.type != 4) proc_exit(7);
  if (path_filestat_get(3, 0, ".", 1, &stat) || stat.type != 3 || stat.nlink != 2) proc_exit(8);
  static struct clock clocks[2] = {{.userdata = 7, .id = 1, .timeout = 9000000}, {.userdata = 8, .id = 1, .timeout = 5000000}};
  if (poll_oneoff(clocks, event, 2, &count) || count != 1 || event[0] != 8 || event[1] != 0) proc_exit(9);
  proc_exit(42);
}
