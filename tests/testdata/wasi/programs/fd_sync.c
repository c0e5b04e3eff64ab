// fsync and fdatasync of files and directories.
#include "program.h"
#include <fcntl.h>

int main(void) {
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(write(fd, "contents", 8));
  SAY(fsync(fd));
  SAY(fsync(open("file", O_RDONLY)));
  SAY(fsync(open(".", O_RDONLY | O_DIRECTORY)));
  SAY(fsync(99));
  SAY(close(fd));
  SAY(fsync(fd));
}
