// posix_fadvise: checks its arguments and changes nothing.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void) {
  struct stat st;
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(write(fd, "contents", 8));
  const int advice[] = {
    POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM, POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,
    POSIX_FADV_NOREUSE,
  };
  for (int i = 0; i < 6; i++) SAY_WASI(posix_fadvise(fd, 2, 100, advice[i]));
  SAY_WASI(posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL));
  SAY_WASI(posix_fadvise(fd, 1LL << 40, 10, POSIX_FADV_WILLNEED));
  SAY_WASI(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL));
  SAY_WASI(posix_fadvise(fd, 0, 0, 77));
  SAY((fstat(fd, &st), st.st_size));
  SAY_WASI(posix_fadvise(0, 0, 0, POSIX_FADV_NORMAL));
  SAY_WASI(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL));
}
