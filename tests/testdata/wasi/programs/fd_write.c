// write and writev: at the position, over the end, into holes, by two descriptors at once.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static void contents(void) {
  char buffer[64];
  int fd = open("file", O_RDONLY);
  ssize_t got = read(fd, buffer, sizeof buffer);
  for (ssize_t i = 0; i < got; i++) if (!buffer[i]) buffer[i] = '.';
  say("[");
  say_bytes(buffer, got);
  say("]\n");
  close(fd);
}

int main(void) {
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  int second = open("file", O_WRONLY);
  SAY(write(fd, "hello", 5));
  SAY(write(second, "J", 1));
  contents();
  SAY(write(fd, "", 0));
  SAY(lseek(fd, 3, SEEK_CUR));
  SAY(write(fd, "world", 5));
  contents();
  struct iovec pieces[4] = {{"a", 1}, {"", 0}, {"bc", 2}, {"def", 3}};
  SAY(writev(fd, pieces, 4));
  SAY(writev(fd, pieces, 0));
  contents();
  SAY(lseek(fd, 0, SEEK_CUR));
  int append = open("file", O_RDWR | O_APPEND);
  SAY(lseek(append, 0, SEEK_CUR));
  SAY(write(append, "", 0));
  SAY(lseek(append, 0, SEEK_CUR));
  SAY(write(append, "+", 1));
  SAY(lseek(append, 0, SEEK_CUR));
  SAY(write(fd, "-", 1));
  contents();
  SAY(lseek(append, 0, SEEK_SET));
  SAY(writev(append, pieces, 4));
  contents();
  SAY(lseek(append, 0, SEEK_CUR));
  SAY(write(open("file", O_RDONLY), "x", 1));
  SAY(write(open(".", O_RDONLY | O_DIRECTORY), "x", 1));
  SAY(write(99, "x", 1));
}
