// Writes its arguments and environment, each in brackets on a line of its own.
#include <string.h>
#include <unistd.h>

extern char **environ;

static void line(const char *prefix, const char *text) {
  write(1, prefix, strlen(prefix));
  write(1, "[", 1);
  write(1, text, strlen(text));
  write(1, "]\n", 2);
}

int main(int argc, char **argv) {
  for (int i = 0; i < argc; i++) line("arg ", argv[i]);
  for (char **entry = environ; *entry; entry++) line("env ", *entry);
  return 0;
}
