// wasi only
// `..` never leaves the directory a path starts from, through links neither; inside it does what it does everywhere.
#include "program.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <wasi/api.h>

static __wasi_filestat_t filestat;
static int fd;

static __wasi_errno_t at(int dir, const char *path) {
  __wasi_errno_t stat = __wasi_path_filestat_get(dir, 1, path, &filestat);
  __wasi_errno_t open = __wasi_path_open(dir, 1, path, 0, 0, 0, 0, &fd);
  CHECK(stat == open);
  if (open == 0) WASI(__wasi_fd_close(fd), 0);
  return open;
}

int main(void) {
  mkdir("a", 0755);
  mkdir("a/b", 0755);
  mkdir("a/b/c", 0755);
  close(open("a/file", O_CREAT | O_WRONLY, 0644));
  symlink("..", "a/up");
  symlink("../..", "a/b/two");
  symlink("b/c/../../..", "a/far");
  symlink("b/c/../../../..", "a/farther");
  symlink(".", "a/here");
  symlink("a/b", "down");
  int a = open("a", O_RDONLY | O_DIRECTORY);
  int b = open("a/b", O_RDONLY | O_DIRECTORY);
  const char *const fine[] = {
    "b/..", "b/../b", "b/c/../..", "here/here/here", "./b/./..//b/../file", "b/../b/../b/../file", "here/file",
  };
  for (int i = 0; i < 7; i++) WASI(at(a, fine[i]), 0);
  const char *const climbs[] = {
    "..", "../", "../a", "../a/file", "b/../..", "b/c/../../..", "b/../../a/file", "up", "up/a", "up/.", "far", "far/x",
    "farther", "here/..", "here/../a", "b/two", "b/two/a", "./..", "/", "/a", "/..", "//", "..//..", "b/two/../..",
  };
  for (int i = 0; i < 24; i++) WASI(at(a, climbs[i]), __WASI_ERRNO_NOTCAPABLE);
  // From above the same links stay inside.
  WASI(at(3, "a/up/a/file"), 0);
  WASI(at(3, "a/far/a/file"), 0);
  WASI(at(3, "a/farther"), __WASI_ERRNO_NOTCAPABLE);
  WASI(at(3, "a/b/two/a/file"), 0);
  // What comes after a link is where the link leads, not where it lies.
  WASI(at(3, "down/../file"), 0);
  WASI(at(3, "down/../../a"), 0);
  WASI(at(3, "down/../../.."), __WASI_ERRNO_NOTCAPABLE);
  WASI(at(3, "none/../a"), __WASI_ERRNO_NOENT);
  WASI(at(3, "a/file/../file"), __WASI_ERRNO_NOTDIR);
  // A moved directory is still no way out.
  CHECK(rename("a/b", "b") == 0);
  WASI(at(b, "../file"), __WASI_ERRNO_NOTCAPABLE);
  WASI(at(b, "c/.."), 0);
  // Every call that takes a path.
  uint8_t name[8];
  __wasi_size_t used;
  WASI(__wasi_path_create_directory(b, "../new"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_remove_directory(b, "../a"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_unlink_file(b, "../down"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_readlink(b, "../down", name, 8, &used), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_symlink("x", b, "../new"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_symlink("/x", b, "new"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_link(b, 0, "../down", b, "new"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_link(b, 0, "two", b, "../new"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_rename(b, "../down", b, "new"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_rename(b, "two", b, "../new"), __WASI_ERRNO_NOTCAPABLE);
  WASI(__wasi_path_filestat_set_times(b, 0, "../a", 0, 0, 1), __WASI_ERRNO_NOTCAPABLE);
  say("ok\n");
}
