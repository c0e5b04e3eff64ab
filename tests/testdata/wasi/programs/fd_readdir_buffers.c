// wasi only
// fd_readdir itself: cookies, and buffers too small for anything.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <wasi/api.h>

static uint8_t buffer[4096];
static __wasi_size_t used;

int main(void) {
  mkdir("dir", 0755);
  close(open("dir/a", O_CREAT | O_WRONLY, 0644));
  close(open("dir/bcd", O_CREAT | O_WRONLY, 0644));
  mkdir("dir/sub", 0755);
  int fd = open("dir", O_RDONLY | O_DIRECTORY);
  // Four names of 1, 2, 1, 3 and 3 bytes after five headers of 24.
  const __wasi_size_t all = 5 * 24 + 1 + 2 + 1 + 3 + 3;
  WASI(__wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &used), 0);
  CHECK(used == all);
  static uint8_t whole[256];
  memcpy(whole, buffer, used);
  const char *const names[] = {".", "..", "a", "bcd", "sub"};
  const int types[] = {
    __WASI_FILETYPE_DIRECTORY, __WASI_FILETYPE_DIRECTORY, __WASI_FILETYPE_REGULAR_FILE,
    __WASI_FILETYPE_REGULAR_FILE, __WASI_FILETYPE_DIRECTORY,
  };
  __wasi_dircookie_t cookies[5];
  struct stat st;
  __wasi_size_t at = 0;
  for (int i = 0; i < 5; i++) {
    __wasi_dirent_t entry;
    memcpy(&entry, whole + at, sizeof entry);
    CHECK(sizeof entry == 24 && entry.d_namlen == strlen(names[i]) && entry.d_type == types[i]);
    CHECK(!memcmp(whole + at + 24, names[i], entry.d_namlen));
    CHECK(fstatat(fd, i == 1 ? "." : names[i], &st, 0) == 0 && (i == 1 || st.st_ino == entry.d_ino));
    cookies[i] = entry.d_next;
    at += 24 + entry.d_namlen;
  }
  // Any size gives as much as fits, cut off where it ends, and touches nothing behind it.
  for (__wasi_size_t size = 0; size <= all + 10; size++) {
    memset(buffer, 0xee, sizeof buffer);
    WASI(__wasi_fd_readdir(fd, buffer, size, 0, &used), 0);
    CHECK(used == (size < all ? size : all));
    CHECK(!memcmp(buffer, whole, used) && buffer[used] == 0xee);
  }
  // Every cookie goes on behind its entry; the one of the last entry at the end.
  at = 0;
  for (int i = 0; i < 5; i++) {
    at += 24 + strlen(names[i]);
    WASI(__wasi_fd_readdir(fd, buffer, sizeof buffer, cookies[i], &used), 0);
    CHECK(used == all - at && !memcmp(buffer, whole + at, used));
  }
  WASI(__wasi_fd_readdir(fd, buffer, sizeof buffer, UINT64_MAX, &used), 0);
  CHECK(used == 0);
  // Cookies stay what they were when entries come and go.
  CHECK(unlink("dir/bcd") == 0 && close(open("dir/new", O_CREAT | O_WRONLY, 0644)) == 0);
  WASI(__wasi_fd_readdir(fd, buffer, sizeof buffer, cookies[2], &used), 0);
  CHECK(used == 2 * 24 + 3 + 3 && !memcmp(buffer + 24, "sub", 3) && !memcmp(buffer + 51, "new", 3));
  WASI(__wasi_fd_readdir(fd, buffer, sizeof buffer, cookies[3], &used), 0);
  CHECK(used == 2 * 24 + 3 + 3);
  CHECK(rename("dir/sub", "dir/a") == -1 && rename("dir/new", "dir/a") == 0);
  WASI(__wasi_fd_readdir(fd, buffer, sizeof buffer, cookies[1], &used), 0);
  CHECK(used == 2 * 24 + 1 + 3);
  WASI(__wasi_fd_readdir(open("dir/a", O_RDONLY), buffer, sizeof buffer, 0, &used), __WASI_ERRNO_NOTDIR);
  WASI(__wasi_fd_readdir(0, buffer, sizeof buffer, 0, &used), __WASI_ERRNO_NOTDIR);
  WASI(__wasi_fd_readdir(99, buffer, sizeof buffer, 0, &used), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_fdstat_set_rights(fd, 0, 0), 0);
  WASI(__wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &used), __WASI_ERRNO_NOTCAPABLE);
  say("ok\n");
}
