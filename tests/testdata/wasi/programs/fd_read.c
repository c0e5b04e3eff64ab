// stdin: twelve bytes
// read and readv: to the end and no further, from files and from standard input.
#include "program.h"
#include <fcntl.h>
#include <sys/uio.h>

int main(void) {
  char a[16] = "", b[16] = "";
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(read(fd, a, 16));
  SAY(write(fd, "0123456789", 10));
  SAY(read(fd, a, 16));
  SAY(lseek(fd, 2, SEEK_SET));
  SAY(read(fd, a, 3));
  say_pair("a", a);
  SAY(read(fd, a, 0));
  struct iovec pieces[2] = {{a, 2}, {b, 16}};
  SAY(readv(fd, pieces, 2));
  say_pair("b", b);
  SAY(readv(fd, pieces, 2));
  SAY(lseek(fd, 100, SEEK_SET));
  SAY(read(fd, a, 16));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(read(open("file", O_WRONLY), a, 1));
  SAY(read(open(".", O_RDONLY | O_DIRECTORY), a, 1));
  SAY(read(99, a, 1));
  SAY(read(0, a, 6));
  SAY(readv(0, pieces, 2));
  say_pair("b", b);
  SAY(read(0, a, 16));
  SAY(read(0, a, 16));
}
