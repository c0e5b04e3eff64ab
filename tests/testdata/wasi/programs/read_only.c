// wasi only
// preopen: sealed read-only
// preopen: data
// A read-only preopen: everything can be read, and whatever would change it is EROFS.
#include "program.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <wasi/api.h>

int main(void) {
  char buffer[32];
  struct stat before, after;
  CHECK(stat("sealed/file", &before) == 0 && before.st_size == 9);
  // Reading.
  int fd = open("sealed/file", O_RDONLY);
  CHECK(read(fd, buffer, 32) == 9 && !memcmp(buffer, "contents\n", 9));
  CHECK(close(open("sealed/link", O_RDONLY)) == 0);
  CHECK(readlink("sealed/link", buffer, 32) == 4);
  CHECK(close(open("sealed/file", O_RDONLY | O_CREAT, 0644)) == 0);
  DIR *dir = opendir("sealed");
  int entries = 0;
  while (readdir(dir) != NULL) entries++;
  CHECK(entries == 6 && closedir(dir) == 0);
  CHECK(fsync(fd) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  // Opening for writing, creating, cutting.
  FAILS(open("sealed/file", O_WRONLY), EROFS);
  FAILS(open("sealed/file", O_RDWR), EROFS);
  FAILS(open("sealed/link", O_WRONLY), EROFS);
  FAILS(open("sealed/file", O_RDONLY | O_TRUNC), EROFS);
  FAILS(open("sealed/new", O_RDONLY | O_CREAT, 0644), EROFS);
  FAILS(open("sealed/new", O_WRONLY | O_CREAT | O_EXCL, 0644), EROFS);
  // Errors that have nothing to do with it come first, as on Linux.
  FAILS(open("sealed/new", O_WRONLY), ENOENT);
  FAILS(open("sealed/dir", O_WRONLY), EISDIR);
  FAILS(open("sealed/file", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
  FAILS(mkdir("sealed/dir", 0755), EEXIST);
  FAILS(symlink("x", "sealed/file"), EEXIST);
  FAILS(symlink("x", "sealed/new/"), ENOENT);
  // Names.
  FAILS(mkdir("sealed/new", 0755), EROFS);
  FAILS(symlink("x", "sealed/new"), EROFS);
  FAILS(unlink("sealed/file"), EROFS);
  FAILS(unlink("sealed/none"), EROFS);
  FAILS(rmdir("sealed/empty"), EROFS);
  FAILS(rmdir("sealed/dir"), EROFS);
  FAILS(link("sealed/file", "sealed/new"), EROFS);
  FAILS(link("sealed/file", "data/new"), EXDEV);
  FAILS(link("data/file", "sealed/new"), EROFS);
  FAILS(rename("sealed/file", "sealed/new"), EROFS);
  FAILS(rename("sealed/file", "sealed/file"), EROFS);
  FAILS(rename("sealed/file", "data/new"), EXDEV);
  FAILS(rename("data/file", "sealed/new"), EXDEV);
  // Times and sizes, with rights that say nothing of writing.
  WASI(__wasi_path_filestat_set_times(4, 0, "file", 1, 1, 5), EROFS);
  WASI(__wasi_path_filestat_set_times(4, 0, "link", 1, 1, 10), EROFS);
  WASI(__wasi_fd_filestat_set_times(fd, 1, 1, 5), EROFS);
  WASI(__wasi_fd_filestat_set_times(4, 1, 1, 5), EROFS);
  int sizes;
  const __wasi_rights_t rights = __WASI_RIGHTS_FD_FILESTAT_SET_SIZE | __WASI_RIGHTS_FD_ALLOCATE;
  WASI(__wasi_path_open(4, 0, "file", 0, rights, 0, 0, &sizes), 0);
  WASI(__wasi_fd_filestat_set_size(sizes, 0), EROFS);
  WASI(__wasi_fd_filestat_set_size(sizes, 9), EROFS);
  WASI(__wasi_fd_allocate(sizes, 0, 100), EROFS);
  CHECK(stat("sealed/file", &after) == 0 && !memcmp(&before, &after, sizeof before));
  // Beside it everything else can still be written.
  CHECK(close(open("data/file", O_WRONLY | O_TRUNC)) == 0 && mkdir("new", 0755) == 0);
  say("ok\n");
}
