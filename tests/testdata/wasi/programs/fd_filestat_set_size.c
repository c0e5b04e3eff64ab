// ftruncate: cuts, extends with zeros, leaves the position alone.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

static long long size(int fd) {
  struct stat st;
  fstat(fd, &st);
  return st.st_size;
}

int main(void) {
  char buffer[32];
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(write(fd, "0123456789", 10));
  SAY(ftruncate(fd, 4));
  SAY(size(fd));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(read(fd, buffer, 32));
  SAY(write(fd, "x", 1));
  SAY(size(fd));
  SAY(pread(fd, buffer, 32, 0));
  SAY(!memcmp(buffer, "0123\0\0\0\0\0\0x", 11));
  SAY(ftruncate(fd, 20));
  SAY(size(fd));
  SAY(pread(fd, buffer, 32, 10));
  SAY(!memcmp(buffer, "x\0\0\0\0\0\0\0\0\0", 10));
  SAY(ftruncate(fd, 0));
  SAY(size(fd));
  SAY(ftruncate(fd, -1));
  SAY(ftruncate(open("file", O_RDONLY), 0));
  SAY(ftruncate(open(".", O_RDONLY | O_DIRECTORY), 0));
  SAY(ftruncate(99, 0));
  // Over the border of a chunk of storage and back: what was cut does not come back.
  static char block[300000];
  memset(block, 'b', sizeof block);
  SAY(pwrite(fd, block, sizeof block, 0));
  SAY(ftruncate(fd, 262143));
  SAY(ftruncate(fd, 300000));
  SAY(pread(fd, buffer, 4, 262141));
  SAY(!memcmp(buffer, "bb\0\0", 4));
  SAY(ftruncate(fd, 262144));
  SAY(ftruncate(fd, 262146));
  SAY(pread(fd, buffer, 4, 262142));
  SAY(!memcmp(buffer, "b\0\0\0", 4));
  // A file that is cut by another descriptor.
  int other = open("file", O_RDWR | O_TRUNC);
  SAY(size(fd));
  SAY(write(other, "new", 3));
  SAY(size(fd));
}
