// For programs that check what the official suite of preview 1 checks, in a directory of their own with its rights.
#pragma once
#include "program.h"
#include <wasi/api.h>

#define R(name) __WASI_RIGHTS_##name
#define E(name) __WASI_ERRNO_##name

// One of several errors will do.
#define WASI_ONE_OF(call, ...)                                             \
  do {                                                                     \
    const int allowed[] = {__VA_ARGS__};                                   \
    int found = 0;                                                         \
    errno = (call);                                                        \
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) found |= errno == allowed[i]; \
    CHECK(found && #call);                                                 \
  } while (0)

static __wasi_filestat_t filestat;
static __wasi_fdstat_t fdstat;

// A new directory with the rights that C programs never ask for so exactly.
static inline int scratch(void) {
  int fd;
  WASI(__wasi_path_create_directory(3, "scratch"), 0);
  WASI(__wasi_path_open(3, 0, "scratch", __WASI_OFLAGS_DIRECTORY,
    R(FD_FILESTAT_GET) | R(FD_READDIR) | R(PATH_CREATE_FILE) | R(PATH_CREATE_DIRECTORY) | R(PATH_REMOVE_DIRECTORY) |
      R(PATH_OPEN) | R(PATH_UNLINK_FILE) | R(PATH_LINK_SOURCE) | R(PATH_LINK_TARGET) | R(PATH_READLINK) |
      R(PATH_RENAME_SOURCE) | R(PATH_RENAME_TARGET) | R(PATH_FILESTAT_GET) | R(PATH_FILESTAT_SET_SIZE) |
      R(PATH_FILESTAT_SET_TIMES) | R(PATH_SYMLINK),
    R(FD_READ) | R(FD_WRITE) | R(FD_READDIR) | R(FD_FILESTAT_GET) | R(FD_SEEK) | R(PATH_LINK_SOURCE) |
      R(PATH_LINK_TARGET) | R(PATH_OPEN) | R(PATH_UNLINK_FILE) | R(PATH_FILESTAT_GET) | R(FD_FDSTAT_SET_FLAGS) |
      R(FD_SYNC) | R(FD_TELL) | R(FD_ADVISE) | R(FD_ALLOCATE) | R(FD_FILESTAT_SET_SIZE) | R(FD_FILESTAT_SET_TIMES),
    0, &fd), 0);
  return fd;
}

static inline __wasi_errno_t open_path(int dir, int follow, const char *path, int oflags, __wasi_rights_t rights, int *fd) {
  return __wasi_path_open(dir, follow, path, oflags, rights, 0, 0, fd);
}

static inline void create(int dir, const char *path) {
  int fd;
  WASI(open_path(dir, 0, path, __WASI_OFLAGS_CREAT, 0, &fd), 0);
  CHECK(fd > 2);
  WASI(__wasi_fd_close(fd), 0);
}

static inline __wasi_errno_t write_text(int fd, const char *text, __wasi_size_t *count) {
  __wasi_ciovec_t iovec = {(const uint8_t *)text, strlen(text)};
  return __wasi_fd_write(fd, &iovec, 1, count);
}

static inline __wasi_errno_t read_into(int fd, void *buffer, __wasi_size_t size, __wasi_size_t *count) {
  __wasi_iovec_t iovec = {buffer, size};
  return __wasi_fd_read(fd, &iovec, 1, count);
}
