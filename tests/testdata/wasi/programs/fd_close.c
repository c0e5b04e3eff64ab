// A closed descriptor is gone, and its number is the next to be given.
#include "program.h"
#include <fcntl.h>

int main(void) {
  char byte;
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  int second = open("file", O_RDONLY);
  CHECK(second == fd + 1);
  SAY(close(fd));
  SAY(close(fd));
  SAY(read(fd, &byte, 1));
  SAY(write(fd, "x", 1));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(close(-1));
  SAY(close(1000000));
  CHECK(open("file", O_RDONLY) == fd);
  SAY(close(second));
  SAY(close(fd));
  // Standard input too; its number is the lowest then.
  SAY(close(0));
  SAY(read(0, &byte, 1));
  SAY(open("file", O_RDONLY));
}
