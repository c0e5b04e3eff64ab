// wasi only
// fd_renumber: over files, directories, streams and preopens; both ends have to be open.
#include "program.h"
#include <fcntl.h>
#include <wasi/api.h>

int main(void) {
  char buffer[8] = "";
  __wasi_fdstat_t before, after;
  int one = open("one", O_CREAT | O_RDWR | O_APPEND, 0644);
  int two = open("two", O_CREAT | O_RDWR, 0644);
  CHECK(write(one, "first", 5) == 5 && lseek(one, 2, SEEK_SET) == 2);
  WASI(__wasi_fd_fdstat_get(one, &before), 0);
  WASI(__wasi_fd_renumber(one, two), 0);
  FAILS(close(one), EBADF);
  WASI(__wasi_fd_fdstat_get(two, &after), 0);
  CHECK(before.fs_filetype == after.fs_filetype && before.fs_flags == after.fs_flags);
  CHECK(before.fs_rights_base == after.fs_rights_base && before.fs_rights_inheriting == after.fs_rights_inheriting);
  // The position came along.
  CHECK(read(two, buffer, 8) == 3 && !memcmp(buffer, "rst", 3));
  WASI(__wasi_fd_renumber(two, one), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_renumber(one, two), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_renumber(two, 99), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_renumber(two, two), 0);
  CHECK(lseek(two, 0, SEEK_CUR) == 5);
  // The number that became free is the next to be given.
  CHECK(open("two", O_RDONLY) == one && close(one) == 0);
  // A removed file goes when the last number for it does.
  CHECK(unlink("one") == 0);
  int three = open("two", O_RDONLY);
  WASI(__wasi_fd_renumber(three, two), 0);
  // Over standard input, and a directory over the preopen.
  WASI(__wasi_fd_renumber(two, 0), 0);
  CHECK(read(0, buffer, 8) == 0);
  __wasi_prestat_t prestat;
  int dir = open(".", O_RDONLY | O_DIRECTORY);
  WASI(__wasi_fd_renumber(dir, 3), 0);
  WASI(__wasi_fd_prestat_get(3, &prestat), __WASI_ERRNO_BADF);
  FAILS(close(dir), EBADF);
  CHECK(close(open("two", O_RDONLY)) == 0);
  say("ok\n");
}
