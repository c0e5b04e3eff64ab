// lseek from everywhere to everywhere.
#include "program.h"
#include <fcntl.h>

int main(void) {
  char byte;
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(write(fd, "0123456789", 10));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(lseek(fd, 4, SEEK_SET));
  SAY(lseek(fd, 2, SEEK_CUR));
  SAY(read(fd, &byte, 1));
  SAY(byte);
  SAY(lseek(fd, -3, SEEK_CUR));
  SAY(lseek(fd, -10, SEEK_END));
  SAY(lseek(fd, -11, SEEK_END));
  SAY(lseek(fd, -1, SEEK_SET));
  SAY(lseek(fd, -1, SEEK_CUR));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(lseek(fd, 5, SEEK_END));
  SAY(read(fd, &byte, 1));
  SAY(lseek(fd, 0, SEEK_END));
  SAY(lseek(fd, 1LL << 32, SEEK_SET));
  SAY(lseek(fd, 1LL << 32, SEEK_CUR));
  SAY(lseek(fd, 0, 77));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(lseek(0, 0, SEEK_CUR));
  SAY(lseek(99, 0, SEEK_SET));
}
