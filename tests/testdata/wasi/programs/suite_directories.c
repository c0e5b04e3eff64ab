// wasi only
// After dir_fd_op_failures, directory_seek, path_open_dirfd_not_dir, path_open_nonblock, path_open_preopen,
// remove_directory, remove_nonempty_directory, dangling_fd, path_exists and interesting_paths of the suite.
#include "suite.h"

__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_open"))) int32_t raw_path_open(
  int32_t, int32_t, int32_t, int32_t, int32_t, int64_t, int64_t, int32_t, int32_t);

static void operations(int dir) {
  char buffer[16];
  __wasi_size_t count;
  __wasi_filesize_t position;
  __wasi_iovec_t in = {(uint8_t *)buffer, 16};
  __wasi_ciovec_t out = {(uint8_t *)buffer, 16};
  WASI(__wasi_fd_filestat_get(dir, &filestat), 0);
  CHECK(filestat.filetype == __WASI_FILETYPE_DIRECTORY);
  WASI_ONE_OF(read_into(dir, buffer, 16, &count), E(ISDIR), E(BADF), E(NOTCAPABLE));
  WASI_ONE_OF(__wasi_fd_pread(dir, &in, 1, 0, &count), E(ISDIR), E(BADF), E(NOTCAPABLE));
  WASI_ONE_OF(__wasi_fd_write(dir, &out, 1, &count), E(ISDIR), E(BADF), E(NOTCAPABLE));
  WASI_ONE_OF(__wasi_fd_pwrite(dir, &out, 1, 0, &count), E(ISDIR), E(BADF), E(NOTCAPABLE));
  for (int whence = 0; whence < 3; whence++) {
    WASI_ONE_OF(__wasi_fd_seek(dir, 0, whence, &position), E(ISDIR), E(BADF), E(NOTCAPABLE));
  }
  WASI_ONE_OF(__wasi_fd_tell(dir, &position), E(ISDIR), E(BADF), E(NOTCAPABLE));
  WASI_ONE_OF(__wasi_fd_allocate(dir, 0, 1), E(ISDIR), E(BADF), E(NOTCAPABLE));
  WASI_ONE_OF(__wasi_fd_filestat_set_size(dir, 0), E(ISDIR), E(INVAL), E(BADF), E(NOTCAPABLE));
}

static void rights(int dir) {
  int fd;
  // Asked for the right to seek, a directory does without it.
  WASI(open_path(dir, 0, ".", __WASI_OFLAGS_DIRECTORY, R(FD_SEEK), &fd), 0);
  WASI(__wasi_fd_fdstat_get(fd, &fdstat), 0);
  CHECK(fdstat.fs_filetype == __WASI_FILETYPE_DIRECTORY && !(fdstat.fs_rights_base & R(FD_SEEK)));
  WASI(__wasi_fd_fdstat_get(3, &fdstat), 0);
  const __wasi_rights_t base = R(PATH_CREATE_DIRECTORY) | R(PATH_CREATE_FILE) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) |
    R(PATH_OPEN) | R(FD_READDIR) | R(PATH_READLINK) | R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) | R(PATH_SYMLINK) |
    R(PATH_REMOVE_DIRECTORY) | R(PATH_UNLINK_FILE) | R(PATH_FILESTAT_GET) | R(PATH_FILESTAT_SET_TIMES) |
    R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_TIMES);
  const __wasi_rights_t files = R(FD_DATASYNC) | R(FD_READ) | R(FD_SEEK) | R(FD_FDSTAT_SET_FLAGS) | R(FD_SYNC) | R(FD_TELL) |
    R(FD_WRITE) | R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_SIZE) | R(FD_FILESTAT_SET_TIMES) |
    R(POLL_FD_READWRITE);
  CHECK((fdstat.fs_rights_base & base) == base);
  CHECK((fdstat.fs_rights_inheriting & (base | files)) == (base | files));
  CHECK(!(fdstat.fs_rights_base & R(FD_FILESTAT_SET_SIZE)) && fdstat.fs_flags == 0);
  WASI(__wasi_path_open(3, 0, ".", 0, fdstat.fs_rights_base, fdstat.fs_rights_inheriting, 0, &fd), 0);
  WASI(open_path(3, 0, ".", 0, 0, &fd), 0);
  WASI(open_path(3, 0, ".", __WASI_OFLAGS_DIRECTORY, 0, &fd), 0);
  WASI(open_path(3, 0, ".", __WASI_OFLAGS_DIRECTORY, R(FD_READ), &fd), 0);
  WASI(open_path(3, 0, ".", __WASI_OFLAGS_DIRECTORY, R(FD_READ) | R(FD_WRITE), &fd), E(ISDIR));
  WASI(__wasi_path_open(3, 0, ".", 0, 0, 0, __WASI_FDFLAGS_NONBLOCK, &fd), 0);
  // What is no directory opens nothing.
  create(dir, "file");
  WASI(open_path(dir, 0, "file", 0, 0, &fd), 0);
  WASI(open_path(fd, 0, "x", __WASI_OFLAGS_CREAT, 0, &fd), E(NOTDIR));
  WASI(__wasi_path_unlink_file(dir, "file"), 0);
}

static void removal(int dir) {
  int fd;
  WASI(__wasi_path_create_directory(dir, "dir"), 0);
  WASI(__wasi_path_remove_directory(dir, "dir"), 0);
  WASI(__wasi_path_create_directory(dir, "dir"), 0);
  WASI(__wasi_path_remove_directory(dir, "dir/"), 0);
  create(dir, "file");
  WASI(__wasi_path_remove_directory(dir, "file"), E(NOTDIR));
  WASI(__wasi_path_remove_directory(dir, "file/"), E(NOTDIR));
  WASI(__wasi_path_unlink_file(dir, "file"), 0);
  WASI(__wasi_path_create_directory(dir, "dir"), 0);
  WASI(__wasi_path_create_directory(dir, "dir/nested"), 0);
  WASI(__wasi_path_remove_directory(dir, "dir"), E(NOTEMPTY));
  WASI(__wasi_path_remove_directory(dir, "dir/nested"), 0);
  // Made again while the old one is open.
  WASI(open_path(dir, 0, "dir", __WASI_OFLAGS_DIRECTORY, 0, &fd), 0);
  WASI(__wasi_path_remove_directory(dir, "dir"), 0);
  WASI(__wasi_path_create_directory(dir, "dir"), 0);
  WASI(__wasi_path_remove_directory(dir, "dir"), 0);
  WASI(__wasi_fd_close(fd), 0);
  WASI(open_path(dir, 0, "file", __WASI_OFLAGS_CREAT, 0, &fd), 0);
  WASI(__wasi_path_unlink_file(dir, "file"), 0);
  create(dir, "file");
  WASI(__wasi_path_unlink_file(dir, "file"), 0);
  WASI(__wasi_fd_close(fd), 0);
}

static void paths(int dir) {
  int fd;
  WASI(__wasi_path_create_directory(dir, "dir"), 0);
  WASI(__wasi_path_create_directory(dir, "dir/nested"), 0);
  create(dir, "dir/nested/file");
  WASI_ONE_OF(open_path(dir, 0, "/dir/nested/file", 0, 0, &fd), E(PERM), E(NOTCAPABLE));
  WASI(open_path(dir, 0, "dir/.//nested/../../dir/nested/../nested///./file", 0, 0, &fd), 0);
  WASI(open_path(dir, 0, "dir/nested/", 0, 0, &fd), 0);
  WASI(open_path(dir, 0, "dir/nested///", 0, 0, &fd), 0);
  WASI_ONE_OF(open_path(dir, 0, "dir/nested/file/", 0, 0, &fd), E(NOTDIR), E(NOENT));
  WASI_ONE_OF(open_path(dir, 0, "dir/nested/file///", 0, 0, &fd), E(NOTDIR), E(NOENT));
  WASI_ONE_OF(open_path(dir, 0, "dir/nested/../../../scratch/dir/nested/file", 0, 0, &fd), E(PERM), E(NOTCAPABLE));
  // The C library measures strings, so the NUL at the end of this one takes the call itself.
  int32_t nul = raw_path_open(dir, 0, (int32_t) "dir/nested/file", 16, 0, 0, 0, 0, (int32_t)&fd);
  WASI_ONE_OF(nul, E(INVAL), E(ILSEQ), E(NOENT));
  for (int follow = 0; follow < 2; follow++) {
    WASI(__wasi_path_filestat_get(dir, follow, "dir", &filestat), 0);
    CHECK(filestat.filetype == __WASI_FILETYPE_DIRECTORY);
    WASI(__wasi_path_filestat_get(dir, follow, "dir/nested/file", &filestat), 0);
    CHECK(filestat.filetype == __WASI_FILETYPE_REGULAR_FILE);
  }
  WASI(open_path(dir, 0, "missing", 0, 0, &fd), E(NOENT));
  WASI(open_path(dir, 0, "dir/nested/file", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, 0, &fd), E(EXIST));
}

int main(void) {
  int dir = scratch();
  operations(dir);
  operations(3);
  rights(dir);
  removal(dir);
  paths(dir);
  say("ok\n");
}
