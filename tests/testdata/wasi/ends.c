// Ends in the way its first argument names.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int sink;

__attribute__((noinline)) static int recurse(int depth) {
  if (depth < 0) return 0;
  sink = depth;
  return recurse(depth + 1) + sink;
}

static void hog(void) {
  while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1) {
  }
  abort();
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "return";
  if (!strcmp(how, "exit")) exit(atoi(argv[2]));
  // Also makes every other end one of a program that may be suspended.
  if (!strcmp(how, "say")) return write(1, "said\n", 5) != 5;
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "recurse")) return recurse(0);
  if (!strcmp(how, "hog")) hog();
  if (!strcmp(how, "outside")) return *(volatile int *)0xfffffff0;
  if (!strcmp(how, "endless-open")) {
    int last = 0;
    for (int fd; (fd = open("file", O_CREAT | O_RDWR, 0644)) >= 0;) last = fd;
    return errno == EMFILE && last == 1023 ? 9 : 10;
  }
  return 0;
}
