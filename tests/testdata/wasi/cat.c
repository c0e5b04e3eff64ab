// Copies standard input to standard output; the first argument is the size of its buffer.
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  size_t size = argc > 1 ? (size_t)atoi(argv[1]) : 65536;
  char *buffer = malloc(size);
  for (;;) {
    ssize_t got = read(0, buffer, size);
    if (got < 0) return 1;
    if (got == 0) return 0;
    for (ssize_t done = 0; done < got;) {
      ssize_t put = write(1, buffer + done, (size_t)(got - done));
      if (put < 0) return 2;
      done += put;
    }
  }
}
