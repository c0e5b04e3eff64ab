// pread, and preadv with several pieces: at any place, the position stays.
#include "program.h"
#include <fcntl.h>
#include <sys/uio.h>

int main(void) {
  char a[8] = "", b[8] = "", c[8] = "";
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(write(fd, "0123456789", 10));
  SAY(pread(fd, a, 4, 3));
  say_pair("a", a);
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(pread(fd, a, 7, 8));
  SAY(pread(fd, a, 7, 10));
  SAY(pread(fd, a, 7, 1LL << 40));
  SAY(pread(fd, a, 7, -1));
  SAY(pread(fd, a, 0, 0));
  struct iovec pieces[3] = {{a, 3}, {b, 0}, {c, 5}};
  SAY(preadv(fd, pieces, 3, 1));
  say_bytes(a, 3);
  say(" ");
  say_bytes(c, 5);
  say("\n");
  SAY(preadv(fd, pieces, 3, 8));
  SAY(preadv(fd, pieces, 0, 0));
  SAY(pread(open("file", O_WRONLY), a, 1, 0));
  SAY(pread(open(".", O_RDONLY | O_DIRECTORY), a, 1, 0));
  SAY(pread(0, a, 1, 0));
  SAY(pread(99, a, 1, 0));
}
