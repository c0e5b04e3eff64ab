// The position after everything that moves it, and after what does not.
#include "program.h"
#include <fcntl.h>

static long long tell(int fd) { return lseek(fd, 0, SEEK_CUR); }

int main(void) {
  char buffer[8];
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(tell(fd));
  write(fd, "0123456789", 10);
  SAY(tell(fd));
  lseek(fd, 3, SEEK_SET);
  read(fd, buffer, 4);
  SAY(tell(fd));
  pread(fd, buffer, 4, 0);
  SAY(tell(fd));
  pwrite(fd, "xy", 2, 0);
  SAY(tell(fd));
  ftruncate(fd, 2);
  SAY(tell(fd));
  posix_fallocate(fd, 0, 50);
  SAY(tell(fd));
  read(fd, buffer, 0);
  SAY(tell(fd));
  SAY(tell(open("file", O_WRONLY | O_APPEND)));
  SAY(tell(open("file", O_RDWR | O_TRUNC)));
  SAY(tell(99));
}
