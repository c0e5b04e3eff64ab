// Does not bring its memory but imports it. Copies its input to its output, or uses up all memory and dies of it.
// flags: -Wl,--import-memory
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "hog") == 0) {
    while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1) {
    }
    abort();
  }
  char buffer[4096];
  for (;;) {
    ssize_t got = read(0, buffer, sizeof buffer);
    if (got <= 0) return got < 0;
    if (write(1, buffer, got) != got) return 1;
  }
}
