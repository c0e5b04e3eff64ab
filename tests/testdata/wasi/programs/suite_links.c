// wasi only
// After dangling_symlink, nofollow_errors, path_link, path_rename, path_rename_dir_trailing_slashes,
// path_symlink_trailing_slashes, readlink, symlink_create, symlink_filestat, symlink_loop and
// unlink_file_trailing_slashes of the suite.
#include "suite.h"

#define DIRECTORY __WASI_OFLAGS_DIRECTORY

static int fd;

static void following(int dir) {
  WASI(__wasi_path_symlink("target", dir, "link"), 0);
  WASI_ONE_OF(open_path(dir, 0, "link", DIRECTORY, 0, &fd), E(NOTDIR), E(LOOP));
  WASI(open_path(dir, 0, "link", 0, 0, &fd), E(LOOP));
  WASI(__wasi_path_create_directory(dir, "target"), 0);
  WASI_ONE_OF(open_path(dir, 0, "link", DIRECTORY, 0, &fd), E(NOTDIR), E(LOOP));
  WASI(open_path(dir, 0, "link", 0, 0, &fd), E(LOOP));
  WASI(open_path(dir, 1, "link", DIRECTORY, 0, &fd), 0);
  WASI(__wasi_fd_close(fd), 0);
  WASI(__wasi_path_remove_directory(dir, "target"), 0);
  create(dir, "target");
  WASI_ONE_OF(open_path(dir, 0, "link", DIRECTORY, 0, &fd), E(NOTDIR), E(LOOP));
  WASI(open_path(dir, 0, "link", 0, 0, &fd), E(LOOP));
  WASI(open_path(dir, 1, "link", DIRECTORY, 0, &fd), E(NOTDIR));
  WASI(open_path(dir, 1, "link", 0, 0, &fd), 0);
  WASI(__wasi_fd_close(fd), 0);
  CHECK(__wasi_path_symlink("/", dir, "absolute") != 0);
  WASI(__wasi_path_symlink("loop", dir, "loop"), 0);
  WASI(open_path(dir, 0, "loop", 0, 0, &fd), E(LOOP));
  WASI(open_path(dir, 1, "loop", 0, 0, &fd), E(LOOP));
  WASI(__wasi_path_unlink_file(dir, "loop"), 0);
}

static void reading(int dir) {
  uint8_t buffer[10] = {0};
  __wasi_size_t used;
  WASI(__wasi_path_readlink(dir, "link", buffer, 10, &used), 0);
  CHECK(used == 6 && !memcmp(buffer, "target\0\0\0", 10));
  memset(buffer, 0, 10);
  WASI(__wasi_path_readlink(dir, "link", buffer, 4, &used), 0);
  CHECK(used == 4 && !memcmp(buffer, "targ\0", 6));
  // Times of the link and of its target are not the same.
  __wasi_filestat_t link, target;
  WASI(__wasi_path_filestat_get(dir, 0, "link", &link), 0);
  WASI(__wasi_path_filestat_get(dir, 1, "link", &target), 0);
  CHECK(link.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && link.size == 6 && target.filetype == __WASI_FILETYPE_REGULAR_FILE);
  WASI(__wasi_path_filestat_set_times(dir, 0, "link", 0, link.mtim - 200, __WASI_FSTFLAGS_MTIM), 0);
  WASI(__wasi_path_filestat_get(dir, 0, "link", &filestat), 0);
  CHECK(filestat.mtim == link.mtim - 200);
  WASI(__wasi_path_filestat_get(dir, 1, "link", &filestat), 0);
  CHECK(filestat.mtim == target.mtim);
  WASI(__wasi_path_filestat_set_times(dir, 1, "link", 0, 77, __WASI_FSTFLAGS_MTIM), 0);
  WASI(__wasi_path_filestat_get(dir, 0, "target", &filestat), 0);
  CHECK(filestat.mtim == 77);
  WASI(__wasi_path_unlink_file(dir, "link"), 0);
  WASI(__wasi_path_unlink_file(dir, "target"), 0);
}

static void slashes(int dir) {
  WASI(__wasi_path_symlink("source", dir, "target/"), E(NOENT));
  WASI(__wasi_path_create_directory(dir, "target"), 0);
  WASI(__wasi_path_symlink("source", dir, "target/"), E(EXIST));
  WASI(__wasi_path_symlink("source", dir, "target"), E(EXIST));
  WASI(__wasi_path_unlink_file(dir, "target"), E(ISDIR));
  WASI(__wasi_path_unlink_file(dir, "target/"), E(ISDIR));
  WASI(__wasi_path_remove_directory(dir, "target"), 0);
  create(dir, "target");
  WASI_ONE_OF(__wasi_path_symlink("source", dir, "target/"), E(NOTDIR), E(EXIST));
  WASI(__wasi_path_symlink("source", dir, "target"), E(EXIST));
  WASI(__wasi_path_unlink_file(dir, "target/"), E(NOTDIR));
  WASI(__wasi_path_unlink_file(dir, "target"), 0);
}

static void linking(int dir) {
  const __wasi_rights_t rights = R(FD_READ) | R(FD_FILESTAT_GET) | R(PATH_OPEN);
  __wasi_filestat_t one, two;
  int other;
  WASI(__wasi_path_open(dir, 0, "file", __WASI_OFLAGS_CREAT, rights, rights, 0, &fd), 0);
  WASI(__wasi_path_create_directory(dir, "sub"), 0);
  WASI(__wasi_path_link(dir, 0, "file", dir, "sub/link"), 0);
  WASI(__wasi_path_open(dir, 0, "sub/link", 0, rights, rights, 0, &other), 0);
  WASI(__wasi_fd_filestat_get(fd, &one), 0);
  WASI(__wasi_fd_filestat_get(other, &two), 0);
  CHECK(!memcmp(&one, &two, sizeof one) && one.nlink == 2);
  __wasi_fdstat_t a, b;
  WASI(__wasi_fd_fdstat_get(fd, &a), 0);
  WASI(__wasi_fd_fdstat_get(other, &b), 0);
  CHECK(!memcmp(&a, &b, sizeof a));
  WASI(__wasi_path_link(dir, 0, "file", dir, "sub/link"), E(EXIST));
  WASI(__wasi_path_link(dir, 0, "file", dir, "file"), E(EXIST));
  WASI(__wasi_path_link(dir, 0, "file", dir, "sub"), E(EXIST));
  WASI_ONE_OF(__wasi_path_link(dir, 0, "sub", dir, "link"), E(PERM), E(ACCES));
  WASI(__wasi_path_link(dir, 0, "file", dir, "link/"), E(NOENT));
  WASI(__wasi_path_symlink("none", dir, "dangling"), 0);
  WASI(__wasi_path_symlink("loop", dir, "loop"), 0);
  WASI(__wasi_path_link(dir, 0, "dangling", dir, "link"), 0);
  WASI(__wasi_path_filestat_get(dir, 0, "link", &filestat), 0);
  CHECK(filestat.filetype == __WASI_FILETYPE_SYMBOLIC_LINK && filestat.nlink == 2);
  WASI(__wasi_path_unlink_file(dir, "link"), 0);
  WASI(__wasi_path_link(dir, 0, "loop", dir, "link"), 0);
  WASI(__wasi_path_link(dir, 0, "file", dir, "dangling"), E(EXIST));
  WASI_ONE_OF(__wasi_path_link(dir, 1, "dangling", dir, "new"), E(INVAL), E(NOENT));
}

static void renaming(int dir) {
  WASI(__wasi_path_create_directory(dir, "from"), 0);
  WASI(__wasi_path_rename(dir, "from/", dir, "to"), 0);
  WASI(__wasi_path_rename(dir, "to", dir, "from/"), 0);
  WASI(__wasi_path_rename(dir, "from/", dir, "to/"), 0);
  WASI(__wasi_path_rename(dir, "to", dir, "from"), 0);
  WASI(open_path(dir, 0, "to", DIRECTORY, 0, &fd), E(NOENT));
  WASI(__wasi_path_create_directory(dir, "to"), 0);
  WASI(__wasi_path_rename(dir, "from", dir, "to"), 0);
  WASI(__wasi_path_create_directory(dir, "from"), 0);
  create(dir, "to/file");
  WASI(__wasi_path_rename(dir, "from", dir, "to"), E(NOTEMPTY));
  WASI(__wasi_path_rename(dir, "from", dir, "to/file"), E(NOTDIR));
  WASI(__wasi_path_rename(dir, "to/file", dir, "from"), E(ISDIR));
  create(dir, "other");
  WASI(__wasi_path_rename(dir, "to/file", dir, "other"), 0);
  WASI(open_path(dir, 0, "to/file", 0, 0, &fd), E(NOENT));
  WASI(open_path(dir, 0, "other", 0, 0, &fd), 0);
}

int main(void) {
  int dir = scratch();
  following(dir);
  reading(dir);
  slashes(dir);
  linking(dir);
  renaming(dir);
  say("ok\n");
}
