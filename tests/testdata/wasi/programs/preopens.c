// wasi only
// preopen: data
// preopen: data/inner
// preopen: other
// Several preopens: the longest name wins, nothing moves between them, and no path leads from one to another.
#include "program.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(void) {
  struct stat a, b, c;
  CHECK(stat("data/file", &a) == 0 && stat("other/file", &b) == 0 && stat(".", &c) == 0);
  CHECK(a.st_dev != b.st_dev && a.st_dev != c.st_dev && b.st_dev != c.st_dev);
  CHECK(stat("data/link", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino);
  // `data/inner` is a preopen of its own, whatever `data` has there.
  FAILS(stat("data/inner/inner", &b), ENOENT);
  CHECK(stat("data/inner/file", &b) == 0 && b.st_dev != a.st_dev);
  CHECK(stat("data/dir/inner", &b) == 0 && b.st_dev == a.st_dev);
  FAILS(rename("data/file", "other/new"), EXDEV);
  FAILS(rename("data/file", "new"), EXDEV);
  FAILS(rename("data/dir", "other/empty"), EXDEV);
  FAILS(rename("data/none", "other/new"), EXDEV);
  FAILS(link("data/file", "other/new"), EXDEV);
  FAILS(link("data/file", "other/file"), EEXIST);
  FAILS(link("data/none", "other/new"), ENOENT);
  // A descriptor of one leads nowhere else.
  int data = open("data", O_RDONLY | O_DIRECTORY);
  FAILS(openat(data, "../other/file", O_RDONLY), ENOTCAPABLE);
  FAILS(openat(data, "..", O_RDONLY), ENOTCAPABLE);
  CHECK(symlinkat("../other/file", data, "out") == 0);
  FAILS(openat(data, "out", O_RDONLY), ENOTCAPABLE);
  FAILS(stat("data/out", &a), ENOTCAPABLE);
  CHECK(lstat("data/out", &a) == 0);
  // Each has its own changes.
  CHECK(unlink("data/file") == 0 && stat("other/file", &b) == 0);
  FAILS(stat("data/file", &a), ENOENT);
  // Closing one leaves the others.
  CHECK(close(4) == 0 && stat("other/file", &b) == 0);
  FAILS(openat(4, "file", O_RDONLY), EBADF);
  say("ok\n");
}
