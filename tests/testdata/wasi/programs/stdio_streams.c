// stdin: first
// stdin: second line
// Reading standard input to its end and beyond, writing lists of pieces, and descriptors that do not fit.
#include "program.h"
#include <sys/uio.h>

int main(void) {
  char buffer[64];
  // A read of nothing takes nothing.
  SAY(read(0, buffer, 0));
  char a[3], b[4];
  struct iovec into[3] = {{a, 3}, {buffer, 0}, {b, 4}};
  SAY(readv(0, into, 3));
  say_bytes(a, 3);
  say("|");
  say_bytes(b, 4);
  say("|\n");
  SAY(read(0, buffer, sizeof buffer));
  say_bytes(buffer, say_value);
  SAY(read(0, buffer, sizeof buffer));
  SAY(read(0, buffer, sizeof buffer));
  SAY(readv(0, into, 3));

  struct iovec pieces[4] = {{"one ", 4}, {"", 0}, {"two", 3}, {"\n", 1}};
  SAY(writev(1, pieces, 4));
  SAY(writev(1, pieces, 0));
  SAY(write(1, "", 0));
  static struct iovec many[1025];
  SAY(writev(1, many, 1024));
  SAY(writev(1, many, 1025));
  SAY(readv(0, many, 1025));

  SAY(write(0, "x", 1));
  SAY(read(1, buffer, 1));
  SAY(write(99, "x", 1));
  SAY(read(99, buffer, 1));
  SAY(write(-1, "x", 1));
  SAY(lseek(0, 0, SEEK_CUR));
  SAY(pread(0, buffer, 1, 0));
  SAY(close(2));
  SAY(write(2, "x", 1));
  SAY(close(2));
  return 0;
}
