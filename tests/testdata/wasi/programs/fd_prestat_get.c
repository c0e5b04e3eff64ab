// wasi only
// preopen: data
// preopen: größe/日本 read-only
// fd_prestat_get and fd_prestat_dir_name: the directories that are there at the start.
#include "program.h"
#include <fcntl.h>
#include <wasi/api.h>

int main(void) {
  const char *const names[] = {".", "data", "größe/日本"};
  char buffer[32];
  __wasi_prestat_t prestat;
  for (int i = 0; i < 3; i++) {
    __wasi_size_t length = strlen(names[i]);
    memset(&prestat, 0xee, sizeof prestat);
    WASI(__wasi_fd_prestat_get(3 + i, &prestat), 0);
    CHECK(prestat.tag == __WASI_PREOPENTYPE_DIR && prestat.u.dir.pr_name_len == length);
    memset(buffer, 'x', sizeof buffer);
    WASI(__wasi_fd_prestat_dir_name(3 + i, (uint8_t *)buffer, length), 0);
    CHECK(!memcmp(buffer, names[i], length) && buffer[length] == 'x');
    // More room than needed is fine, less is not.
    WASI(__wasi_fd_prestat_dir_name(3 + i, (uint8_t *)buffer, length + 1), 0);
    CHECK(buffer[length] == 'x');
    WASI(__wasi_fd_prestat_dir_name(3 + i, (uint8_t *)buffer, length - 1), __WASI_ERRNO_NAMETOOLONG);
    WASI(__wasi_fd_prestat_dir_name(3 + i, (uint8_t *)buffer, 0), __WASI_ERRNO_NAMETOOLONG);
  }
  WASI(__wasi_fd_prestat_get(6, &prestat), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_prestat_dir_name(6, (uint8_t *)buffer, 32), __WASI_ERRNO_BADF);
  for (int fd = 0; fd < 3; fd++) WASI(__wasi_fd_prestat_get(fd, &prestat), __WASI_ERRNO_BADF);
  // A directory opened later is none of them.
  int dir = open(".", O_RDONLY | O_DIRECTORY);
  CHECK(dir == 6);
  WASI(__wasi_fd_prestat_get(dir, &prestat), __WASI_ERRNO_BADF);
  // A closed preopen is gone; what was opened through it stays.
  int file = open("data/file", O_RDONLY);
  WASI(__wasi_fd_close(4), 0);
  WASI(__wasi_fd_prestat_get(4, &prestat), __WASI_ERRNO_BADF);
  CHECK(read(file, buffer, 8) == 8 && !memcmp(buffer, "contents", 8));
  WASI(__wasi_fd_prestat_get(5, &prestat), 0);
  say("ok\n");
}
