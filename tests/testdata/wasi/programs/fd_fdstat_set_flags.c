// fcntl(F_SETFL): append and nonblock come and go; how a file is synced stays as it was opened.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

static void contents(void) {
  char buffer[64];
  int fd = open("file", O_RDONLY);
  ssize_t got = read(fd, buffer, sizeof buffer);
  say("[");
  say_bytes(buffer, got);
  say("]\n");
  close(fd);
}

int main(void) {
  int fd = open("file", O_CREAT | O_RDWR | O_APPEND, 0644);
  SAY(write(fd, "one ", 4));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(write(fd, "two ", 4));
  SAY(lseek(fd, 0, SEEK_CUR));
  contents();
  SAY(fcntl(fd, F_SETFL, 0));
  SAY(!!(fcntl(fd, F_GETFL) & O_APPEND));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(write(fd, "ONE", 3));
  SAY(lseek(fd, 0, SEEK_CUR));
  contents();
  SAY(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
  SAY(!!(fcntl(fd, F_GETFL) & O_NONBLOCK));
  SAY(write(fd, "end", 3));
  contents();
  int other = open("file", O_WRONLY);
  SAY(!!(fcntl(other, F_GETFL) & O_APPEND));
  int synced = open("file", O_WRONLY | O_SYNC);
  SAY(fcntl(synced, F_SETFL, O_APPEND));
  SAY((fcntl(synced, F_GETFL) & O_SYNC) == O_SYNC);
  SAY(fcntl(other, F_SETFL, O_SYNC));
  SAY((fcntl(other, F_GETFL) & O_SYNC) == O_SYNC);
  SAY(fcntl(open(".", O_RDONLY), F_SETFL, O_NONBLOCK));
  SAY(fcntl(99, F_SETFL, 0));
}
