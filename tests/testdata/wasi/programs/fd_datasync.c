// fdatasync: as fsync, through the right of its own.
#include "program.h"
#include <fcntl.h>

int main(void) {
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(write(fd, "contents", 8));
  SAY(fdatasync(fd));
  SAY(fdatasync(open("file", O_WRONLY)));
  SAY(fdatasync(99));
  SAY(close(fd));
  SAY(fdatasync(fd));
}
