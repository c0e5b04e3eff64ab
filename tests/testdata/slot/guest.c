// A guest that misbehaves on demand: argv[1] says how. Built by build.sh.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536];

static int copy(int from, int to) {
  for (;;) {
    ssize_t got = read(from, buffer, sizeof buffer);
    if (got <= 0) return got < 0;
    for (ssize_t at = 0; at < got;) {
      ssize_t put = write(to, buffer + at, got - at);
      if (put < 0) return 1;
      at += put;
    }
  }
}

static int write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  if (!file || fputs(text, file) < 0 || fclose(file)) return 3;
  return 0;
}

static int cat(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) return 3;
  return copy(fileno(file), 1);
}

static int touch(size_t bytes) {
  char *memory = malloc(bytes);
  if (!memory) return 4;
  memset(memory, 1, bytes);
  return memory[bytes / 2] - 1;
}

static int loop(void) {
  puts("looping");
  fflush(stdout);
  for (volatile unsigned i = 0;; i++) {}
}

static int flood(void) {
  memset(buffer, 'x', sizeof buffer);
  while (write(1, buffer, sizeof buffer) > 0) {}
  return 5;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  if (!strcmp(mode, "echo")) return copy(0, 1);
  if (!strcmp(mode, "loop")) return loop();
  if (!strcmp(mode, "flood")) return flood();
  if (!strcmp(mode, "sleep")) return sleep(1000), 0;
  if (!strcmp(mode, "touch")) return touch(strtoul(argv[2], 0, 10));
  if (!strcmp(mode, "write")) return write_file(argv[2], argv[3]) + (argc > 4 ? atoi(argv[4]) : 0);
  if (!strcmp(mode, "cat")) return cat(argv[2]);
  if (!strcmp(mode, "exit")) return atoi(argv[2]);
  if (!strcmp(mode, "trap")) __builtin_trap();
  return 0;
}
