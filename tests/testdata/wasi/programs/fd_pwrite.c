// pwrite, and pwritev with several pieces: at any place, the position stays; at the end with O_APPEND.
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
  SAY(pwrite(fd, "abc", 3, 5));
  contents();
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(pwrite(fd, "XY", 2, 6));
  contents();
  SAY(pwrite(fd, "x", 1, -1));
  SAY(pwrite(fd, "", 0, 100));
  contents();
  struct iovec pieces[3] = {{"one", 3}, {"", 0}, {"two", 3}};
  SAY(pwritev(fd, pieces, 3, 1));
  contents();
  SAY(pwritev(fd, pieces, 0, 1));
  int append = open("file", O_WRONLY | O_APPEND);
  SAY(pwrite(append, "end", 3, 0));
  contents();
  SAY(lseek(append, 0, SEEK_CUR));
  SAY(write(append, "!", 1));
  SAY(lseek(append, 0, SEEK_CUR));
  SAY(pwrite(append, "?", 1, 2));
  SAY(lseek(append, 0, SEEK_CUR));
  contents();
  SAY(pwrite(append, "?", 1, -1));
  SAY(pwrite(open("file", O_RDONLY), "x", 1, 0));
  SAY(pwrite(open(".", O_RDONLY | O_DIRECTORY), "x", 1, 0));
  SAY(pwrite(99, "x", 1, 0));
}
