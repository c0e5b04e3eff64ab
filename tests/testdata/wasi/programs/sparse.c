// Files with holes: far seeks, cuts, and reading over every border.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

static char block[700000];

// Counts and adds up what is not zero.
static void sum(int fd, long long at, int count) {
  memset(block, 1, count);
  int got = pread(fd, block, count, at);
  long long total = 0, set = 0;
  for (int i = 0; i < got; i++) if (block[i]) { set++; total += block[i]; }
  say_number(got); say(" bytes, "); say_number(set); say(" set, sum "); say_number(total); say("\n");
}

int main(void) {
  struct stat st;
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(pwrite(fd, "\x05", 1, 3LL << 30));
  SAY((fstat(fd, &st), st.st_size));
  sum(fd, 0, 700000);
  sum(fd, (3LL << 30) - 5, 700000);
  sum(fd, 1LL << 30, 100000);
  SAY(pwrite(fd, "abc", 3, 262143));
  SAY(pwrite(fd, "de", 2, 524287));
  sum(fd, 0, 700000);
  sum(fd, 262140, 10);
  sum(fd, 262145, 10);
  SAY(ftruncate(fd, 524288));
  sum(fd, 0, 700000);
  SAY(ftruncate(fd, 4LL << 30));
  sum(fd, 0, 700000);
  sum(fd, 3LL << 30, 100);
  SAY(lseek(fd, 0, SEEK_END));
  SAY(write(fd, "end", 3));
  SAY((fstat(fd, &st), st.st_size));
  SAY(ftruncate(fd, 0));
  sum(fd, 0, 100);
  memset(block, 7, sizeof block);
  SAY(pwrite(fd, block, 600000, 100));
  sum(fd, 0, 700000);
  SAY(ftruncate(fd, 300000));
  SAY(ftruncate(fd, 600000));
  sum(fd, 0, 700000);
}
