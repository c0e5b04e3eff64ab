// posix_fallocate: extends with zeros, never cuts, keeps what is there.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

static long long size(int fd) {
  struct stat st;
  fstat(fd, &st);
  return st.st_size;
}

int main(void) {
  char buffer[64];
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY_WASI(posix_fallocate(fd, 0, 100));
  SAY(size(fd));
  SAY(pwrite(fd, "inside", 6, 40));
  SAY_WASI(posix_fallocate(fd, 10, 10));
  SAY(size(fd));
  SAY_WASI(posix_fallocate(fd, 90, 20));
  SAY(size(fd));
  SAY(pread(fd, buffer, 64, 36));
  SAY(!memcmp(buffer, "\0\0\0\0inside\0\0\0", 13));
  SAY_WASI(posix_fallocate(fd, 3000000, 1));
  SAY(size(fd));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY_WASI(posix_fallocate(fd, 0, 0));
  SAY_WASI(posix_fallocate(fd, 0, -1));
  SAY_WASI(posix_fallocate(fd, -1, 10));
  SAY_WASI(posix_fallocate(open("file", O_RDONLY), 0, 10));
  SAY_WASI(posix_fallocate(open(".", O_RDONLY | O_DIRECTORY), 0, 10));
  SAY_WASI(posix_fallocate(99, 0, 10));
  SAY(ftruncate(fd, 50));
  SAY(ftruncate(fd, 100));
  SAY(pread(fd, buffer, 64, 40));
  SAY(!memcmp(buffer, "inside\0\0\0\0\0\0\0\0", 14));
}
