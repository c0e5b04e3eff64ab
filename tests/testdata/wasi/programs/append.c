// O_APPEND: two that write at once never overwrite each other, wherever they were.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void) {
  char buffer[128];
  int one = open("file", O_CREAT | O_WRONLY | O_APPEND, 0644);
  int two = open("file", O_RDWR | O_APPEND);
  int plain = open("file", O_WRONLY);
  for (int i = 0; i < 5; i++) {
    SAY(write(one, "1", 1));
    SAY(write(two, "22", 2));
    SAY(lseek(one, 0, SEEK_CUR));
    SAY(lseek(two, 0, SEEK_SET));
    SAY(pwrite(one, "p", 1, 0));
  }
  SAY(read(two, buffer, 4));
  SAY(write(two, "end", 3));
  SAY(read(two, buffer, 4));
  SAY(write(plain, "START", 5));
  SAY(ftruncate(plain, 10));
  SAY(write(one, "cut", 3));
  ssize_t got = pread(two, buffer, sizeof buffer, 0);
  say_bytes(buffer, got);
  say("\n");
}
