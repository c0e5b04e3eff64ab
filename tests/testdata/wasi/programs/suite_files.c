// wasi only
// After fd_advise, fd_filestat_set, fd_flags_set, file_allocate, file_pread_pwrite, file_seek_tell, file_truncation,
// file_unbuffered_write, fstflags_validate, path_filestat, path_open_create_existing, path_open_read_write,
// path_open_read_without_rights, truncation_rights and isatty of the suite.
#include "suite.h"

static char buffer[128];
static __wasi_size_t count;
static __wasi_filesize_t position;

static int open_new(int dir, __wasi_rights_t rights) {
  int fd;
  WASI(open_path(dir, 0, "file", __WASI_OFLAGS_CREAT, rights, &fd), 0);
  CHECK(fd > 2);
  return fd;
}

static void finish(int dir, int fd) {
  WASI(__wasi_fd_close(fd), 0);
  WASI(__wasi_path_unlink_file(dir, "file"), 0);
}

static __wasi_filesize_t size(int fd) {
  WASI(__wasi_fd_filestat_get(fd, &filestat), 0);
  return filestat.size;
}

static void sizes(int dir) {
  int fd = open_new(dir, R(FD_READ) | R(FD_WRITE) | R(FD_ADVISE) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_SIZE) | R(FD_ALLOCATE));
  CHECK(size(fd) == 0);
  WASI(__wasi_fd_filestat_set_size(fd, 100), 0);
  CHECK(size(fd) == 100);
  WASI(__wasi_fd_advise(fd, 10, 50, __WASI_ADVICE_NORMAL), 0);
  CHECK(size(fd) == 100);
  WASI(__wasi_fd_allocate(fd, 100, 100), 0);
  CHECK(size(fd) == 200);
  WASI(__wasi_fd_allocate(fd, 10, 10), 0);
  CHECK(size(fd) == 200);
  WASI(__wasi_fd_allocate(fd, 190, 20), 0);
  CHECK(size(fd) == 210);
  finish(dir, fd);
}

static void times(int dir) {
  int fd = open_new(dir, R(FD_READ) | R(FD_WRITE) | R(FD_FILESTAT_GET) | R(FD_FILESTAT_SET_TIMES));
  size(fd);
  __wasi_timestamp_t atim = filestat.atim, mtim = filestat.mtim - 100;
  WASI(__wasi_fd_filestat_set_times(fd, mtim, mtim, __WASI_FSTFLAGS_MTIM), 0);
  size(fd);
  CHECK(filestat.mtim == mtim && filestat.atim == atim);
  const int wrong[] = {3, 12, 7, 11, 13, 14, 15, 16, 0x8001};
  for (int i = 0; i < 9; i++) {
    WASI(__wasi_fd_filestat_set_times(fd, 100, 200, wrong[i]), E(INVAL));
    WASI(__wasi_path_filestat_set_times(dir, 0, "file", 100, 200, wrong[i]), E(INVAL));
  }
  size(fd);
  CHECK(filestat.mtim == mtim && filestat.atim == atim);
  WASI(__wasi_path_filestat_set_times(dir, 0, "file", 0, mtim - 100, __WASI_FSTFLAGS_MTIM), 0);
  WASI(__wasi_path_filestat_get(dir, 0, "file", &filestat), 0);
  CHECK(filestat.mtim == mtim - 100 && filestat.atim == atim && filestat.size == 0);
  WASI(__wasi_path_filestat_set_times(dir, 0, "file", UINT64_MAX, 0, 5), 0);
  size(fd);
  CHECK(filestat.atim == UINT64_MAX && filestat.mtim == 0);
  finish(dir, fd);
}

static void appending(int dir) {
  int fd;
  WASI(__wasi_path_open(dir, 0, "file", __WASI_OFLAGS_CREAT, R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(FD_TELL) |
    R(FD_FDSTAT_SET_FLAGS), 0, __WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_SYNC, &fd), 0);
  WASI(__wasi_fd_fdstat_get(fd, &fdstat), 0);
  CHECK(fdstat.fs_flags == (__WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_SYNC));
  WASI(write_text(fd, "0000", &count), 0);
  WASI(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position), 0);
  WASI(write_text(fd, "1111", &count), 0);
  WASI(__wasi_fd_tell(fd, &position), 0);
  CHECK(count == 4 && position == 8);
  WASI(__wasi_fd_fdstat_set_flags(fd, 0), 0);
  WASI(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position), 0);
  WASI(write_text(fd, "2222", &count), 0);
  WASI(__wasi_fd_seek(fd, 0, __WASI_WHENCE_SET, &position), 0);
  WASI(read_into(fd, buffer, 128, &count), 0);
  CHECK(count == 8 && !memcmp(buffer, "22221111", 8));
  finish(dir, fd);
}

static void reading(int dir) {
  int fd = open_new(dir, R(FD_READ) | R(FD_WRITE) | R(FD_SEEK) | R(FD_TELL));
  char a[3], b[9];
  const __wasi_ciovec_t out[2] = {{(uint8_t *)"abc", 3}, {(uint8_t *)"defgh", 5}};
  const __wasi_iovec_t in[2] = {{(uint8_t *)a, 3}, {(uint8_t *)b, 9}};
  WASI(__wasi_fd_pwrite(fd, out, 2, 2, &count), 0);
  CHECK(count == 8);
  WASI(__wasi_fd_pread(fd, in, 2, 0, &count), 0);
  CHECK(count == 10 && !memcmp(a, "\0\0a", 3) && !memcmp(b, "bcdefgh", 7));
  WASI(__wasi_fd_pread(fd, in, 2, 10, &count), 0);
  CHECK(count == 0);
  WASI(__wasi_fd_tell(fd, &position), 0);
  CHECK(position == 0);
  // What is written through one can be read through another at once.
  int other;
  WASI(open_path(dir, 0, "file", 0, R(FD_READ), &other), 0);
  WASI(write_text(fd, "x", &count), 0);
  WASI(read_into(other, buffer, 1, &count), 0);
  CHECK(count == 1 && buffer[0] == 'x');
  WASI(__wasi_fd_close(other), 0);
  WASI(__wasi_fd_seek(fd, -2, __WASI_WHENCE_END, &position), 0);
  CHECK(position == 8);
  WASI(__wasi_fd_seek(fd, 1000, __WASI_WHENCE_CUR, &position), 0);
  WASI(__wasi_fd_seek(fd, -2000, __WASI_WHENCE_CUR, &position), E(INVAL));
  WASI(__wasi_fd_seek(fd, 0, 3, &position), E(INVAL));
  WASI(__wasi_fd_tell(fd, &position), 0);
  CHECK(position == 1008);
  WASI(read_into(fd, buffer, 1, &count), 0);
  CHECK(count == 0);
  finish(dir, fd);
}

static void opening(int dir) {
  int fd;
  create(dir, "file");
  WASI(open_path(dir, 0, "file", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, 0, &fd), E(EXIST));
  WASI(open_path(dir, 0, "file", 0, R(FD_READ), &fd), 0);
  WASI(read_into(fd, buffer, 1, &count), 0);
  WASI_ONE_OF(write_text(fd, "x", &count), E(BADF), E(NOTCAPABLE), E(ACCES));
  WASI(__wasi_fd_close(fd), 0);
  WASI(open_path(dir, 0, "file", 0, R(FD_WRITE), &fd), 0);
  WASI_ONE_OF(read_into(fd, buffer, 1, &count), E(BADF), E(NOTCAPABLE), E(ACCES));
  WASI(write_text(fd, "x", &count), 0);
  WASI(__wasi_fd_fdstat_get(fd, &fdstat), 0);
  CHECK(fdstat.fs_rights_base == R(FD_WRITE) && !isatty(fd));
  WASI(__wasi_fd_close(fd), 0);
  // Cutting is a right of the directory, not of the descriptor it gives.
  WASI(open_path(dir, 0, "file", __WASI_OFLAGS_TRUNC, 0, &fd), 0);
  WASI(__wasi_path_filestat_get(dir, 0, "file", &filestat), 0);
  CHECK(filestat.size == 0);
  WASI(__wasi_fd_fdstat_get(dir, &fdstat), 0);
  const __wasi_rights_t passed = fdstat.fs_rights_inheriting & ~R(FD_FILESTAT_SET_SIZE);
  WASI(__wasi_fd_fdstat_set_rights(dir, fdstat.fs_rights_base, passed), 0);
  WASI(open_path(dir, 0, "file", __WASI_OFLAGS_TRUNC, 0, &fd), 0);
  WASI(__wasi_fd_fdstat_set_rights(dir, fdstat.fs_rights_base & ~R(PATH_FILESTAT_SET_SIZE), passed), 0);
  WASI_ONE_OF(open_path(dir, 0, "file", __WASI_OFLAGS_TRUNC, 0, &fd), E(PERM), E(NOTCAPABLE));
  WASI(open_path(dir, 0, "file", 16, 0, &fd), E(INVAL));
  WASI(__wasi_path_open(dir, 0, "file", 0, 0, 0, 32, &fd), E(INVAL));
}

static void streams(void) {
  for (int fd = 0; fd < 3; fd++) {
    memset(&filestat, 0xee, sizeof filestat);
    WASI(__wasi_fd_filestat_get(fd, &filestat), 0);
    CHECK(filestat.filetype == __WASI_FILETYPE_CHARACTER_DEVICE && filestat.size == 0 && filestat.nlink == 1);
    CHECK(filestat.dev == 0 && filestat.ino == 0 && filestat.atim == 0 && filestat.mtim == 0 && filestat.ctim == 0);
    WASI_ONE_OF(__wasi_fd_filestat_set_times(fd, 0, 0, 5), E(INVAL), E(NOTCAPABLE));
    WASI(__wasi_fd_filestat_set_size(fd, 0), E(INVAL));
    WASI(__wasi_fd_allocate(fd, 0, 1), E(SPIPE));
    WASI(__wasi_fd_advise(fd, 0, 0, 0), E(SPIPE));
    WASI(__wasi_fd_tell(fd, &position), E(SPIPE));
  }
}

int main(void) {
  streams();
  int dir = scratch();
  sizes(dir);
  times(dir);
  appending(dir);
  reading(dir);
  opening(dir);
  say("ok\n");
}
