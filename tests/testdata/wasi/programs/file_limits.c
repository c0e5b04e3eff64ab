// wasi only
// Where a file can grow no further: as much as fits is written, then it is EFBIG.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

// 8 GiB, see core/wasi/file.ts.
#define LIMIT (8LL << 30)

int main(void) {
  struct stat st;
  char buffer[8];
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  CHECK(pwrite(fd, "0123456789", 10, LIMIT - 3) == 3);
  CHECK(fstat(fd, &st) == 0 && st.st_size == LIMIT);
  FAILS(pwrite(fd, "x", 1, LIMIT), EFBIG);
  CHECK(pwrite(fd, "", 0, LIMIT + 10) == 0);
  CHECK(lseek(fd, -5, SEEK_END) == LIMIT - 5);
  struct iovec pieces[3] = {{"ab", 2}, {"cdefg", 5}, {"h", 1}};
  CHECK(writev(fd, pieces, 3) == 5 && lseek(fd, 0, SEEK_CUR) == LIMIT);
  FAILS(write(fd, "x", 1), EFBIG);
  CHECK(pread(fd, buffer, 8, LIMIT - 5) == 5 && !memcmp(buffer, "abcde", 5));
  FAILS(ftruncate(fd, LIMIT + 1), EFBIG);
  CHECK(posix_fallocate(fd, LIMIT, 1) == EFBIG);
  CHECK(lseek(fd, 1LL << 52, SEEK_SET) == 1LL << 52 && read(fd, buffer, 8) == 0);
  FAILS(write(fd, "x", 1), EFBIG);
  FAILS(lseek(fd, INT64_MAX, SEEK_CUR), EOVERFLOW);
  CHECK(fstat(fd, &st) == 0 && st.st_size == LIMIT);
  say("ok\n");
}
