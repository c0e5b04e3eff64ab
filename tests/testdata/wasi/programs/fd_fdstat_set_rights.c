// wasi only
// Rights: given up and never got back; what is opened through a directory has no more than it passes on.
#include "program.h"
#include <fcntl.h>
#include <wasi/api.h>

#define R(name) __WASI_RIGHTS_##name
#define NOTCAPABLE __WASI_ERRNO_NOTCAPABLE

static __wasi_errno_t open_at(int dir, const char *path, int oflags, __wasi_rights_t base, __wasi_rights_t inheriting, int *fd) {
  return __wasi_path_open(dir, 0, path, oflags, base, inheriting, 0, fd);
}

int main(void) {
  char byte = 'x';
  uint8_t name[8];
  int fd, dir, other;
  __wasi_size_t count;
  __wasi_fdstat_t stat;
  __wasi_filestat_t filestat;
  __wasi_ciovec_t out = {(uint8_t *)&byte, 1};
  __wasi_iovec_t in = {(uint8_t *)&byte, 1};
  const __wasi_rights_t some = R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(FD_TELL);

  WASI(open_at(3, "file", __WASI_OFLAGS_CREAT, some, 0, &fd), 0);
  WASI(__wasi_fd_fdstat_get(fd, &stat), 0);
  CHECK(stat.fs_rights_base == some && stat.fs_rights_inheriting == 0);
  WASI(__wasi_fd_write(fd, &out, 1, &count), 0);
  // Each call that needs a right it does not have.
  WASI(__wasi_fd_datasync(fd), NOTCAPABLE);
  WASI(__wasi_fd_sync(fd), NOTCAPABLE);
  WASI(__wasi_fd_advise(fd, 0, 0, 0), NOTCAPABLE);
  WASI(__wasi_fd_allocate(fd, 0, 10), NOTCAPABLE);
  WASI(__wasi_fd_fdstat_set_flags(fd, 0), NOTCAPABLE);
  WASI(__wasi_fd_filestat_get(fd, &filestat), NOTCAPABLE);
  WASI(__wasi_fd_filestat_set_size(fd, 0), NOTCAPABLE);
  WASI(__wasi_fd_filestat_set_times(fd, 0, 0, 0), NOTCAPABLE);
  // Fewer, then no more again.
  WASI(__wasi_fd_fdstat_set_rights(fd, R(FD_SEEK), 0), 0);
  WASI(__wasi_fd_fdstat_get(fd, &stat), 0);
  CHECK(stat.fs_rights_base == R(FD_SEEK));
  WASI(__wasi_fd_read(fd, &in, 1, &count), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_write(fd, &out, 1, &count), __WASI_ERRNO_BADF);
  WASI(__wasi_fd_fdstat_set_rights(fd, some, 0), NOTCAPABLE);
  WASI(__wasi_fd_fdstat_set_rights(fd, R(FD_SEEK), R(FD_SEEK)), NOTCAPABLE);
  __wasi_filesize_t position;
  WASI(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position), 0);
  // The right to seek includes the right to tell, but not the other way round.
  WASI(__wasi_fd_tell(fd, &position), 0);
  WASI(open_at(3, "file", 0, R(FD_TELL) | R(FD_READ), 0, &other), 0);
  WASI(__wasi_fd_seek(other, 0, __WASI_WHENCE_CUR, &position), 0);
  WASI(__wasi_fd_seek(other, 1, __WASI_WHENCE_CUR, &position), NOTCAPABLE);
  WASI(__wasi_fd_pread(other, &in, 1, 0, &count), NOTCAPABLE);
  WASI(__wasi_fd_fdstat_set_rights(fd, 0, 0), 0);
  WASI(__wasi_fd_tell(fd, &position), NOTCAPABLE);
  WASI(__wasi_fd_close(fd), 0);

  // A directory without any rights but to open, which passes on reading only.
  WASI(__wasi_path_create_directory(3, "dir"), 0);
  WASI(open_at(3, "dir", __WASI_OFLAGS_DIRECTORY, R(PATH_OPEN), R(FD_READ), &dir), 0);
  WASI(open_at(3, "dir/file", __WASI_OFLAGS_CREAT, 0, 0, &fd), 0);
  WASI(open_at(dir, "file", 0, R(FD_READ), 0, &fd), 0);
  WASI(open_at(dir, "file", 0, R(FD_READ) | R(FD_WRITE), 0, &fd), NOTCAPABLE);
  WASI(open_at(dir, "file", 0, R(FD_READ), R(FD_WRITE), &fd), NOTCAPABLE);
  WASI(open_at(dir, "new", __WASI_OFLAGS_CREAT, R(FD_READ), 0, &fd), NOTCAPABLE);
  WASI(open_at(dir, "file", __WASI_OFLAGS_TRUNC, R(FD_READ), 0, &fd), NOTCAPABLE);
  WASI(__wasi_path_create_directory(dir, "new"), NOTCAPABLE);
  WASI(__wasi_path_remove_directory(dir, "new"), NOTCAPABLE);
  WASI(__wasi_path_unlink_file(dir, "file"), NOTCAPABLE);
  WASI(__wasi_path_symlink("x", dir, "new"), NOTCAPABLE);
  WASI(__wasi_path_readlink(dir, "new", name, 8, &count), NOTCAPABLE);
  WASI(__wasi_path_filestat_get(dir, 0, "file", &filestat), NOTCAPABLE);
  WASI(__wasi_path_filestat_set_times(dir, 0, "file", 0, 0, 0), NOTCAPABLE);
  WASI(__wasi_path_link(dir, 0, "file", 3, "new"), NOTCAPABLE);
  WASI(__wasi_path_link(3, 0, "file", dir, "new"), NOTCAPABLE);
  WASI(__wasi_path_rename(dir, "file", 3, "new"), NOTCAPABLE);
  WASI(__wasi_path_rename(3, "file", dir, "new"), NOTCAPABLE);
  WASI(__wasi_fd_readdir(dir, name, 8, 0, &count), NOTCAPABLE);
  // Without the right to open nothing can be opened, and what a file cannot do it never has the right to.
  WASI(__wasi_fd_fdstat_set_rights(dir, 0, 0), 0);
  WASI(open_at(dir, "file", 0, 0, 0, &fd), NOTCAPABLE);
  WASI(open_at(3, "file", 0, R(FD_READ) | R(FD_READDIR) | R(PATH_OPEN), R(FD_READ), &fd), 0);
  WASI(__wasi_fd_fdstat_get(fd, &stat), 0);
  CHECK(stat.fs_rights_base == R(FD_READ));
  WASI(open_at(3, "dir", 0, R(FD_READ) | R(FD_SEEK) | R(FD_READDIR), 0, &fd), 0);
  WASI(__wasi_fd_fdstat_get(fd, &stat), 0);
  CHECK(stat.fs_rights_base == R(FD_READDIR));
  // Through the preopen itself, as the C library does it from then on.
  WASI(__wasi_fd_fdstat_get(3, &stat), 0);
  WASI(__wasi_fd_fdstat_set_rights(3, stat.fs_rights_base & ~R(PATH_FILESTAT_SET_SIZE), stat.fs_rights_inheriting), 0);
  WASI(open_at(3, "file", __WASI_OFLAGS_TRUNC, 0, 0, &fd), NOTCAPABLE);
  WASI(open_at(3, "file", 0, R(FD_FILESTAT_SET_SIZE) | R(FD_WRITE), 0, &fd), 0);
  WASI(__wasi_fd_filestat_set_size(fd, 0), 0);
  say("ok\n");
}
