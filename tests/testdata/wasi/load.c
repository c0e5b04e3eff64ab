// Makes one kind of call as often as it is told, for the benches.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char block[65536];

static int run(const char *kind) {
  static int fd = -1;
  struct stat st;
  if (!strcmp(kind, "stdout")) return write(1, block, sizeof block) == sizeof block;
  if (!strcmp(kind, "lines")) return write(1, block, 64) == 64;
  if (!strcmp(kind, "stat")) return stat(".", &st) == 0;
  if (fd < 0) fd = open("file", O_CREAT | O_WRONLY | O_APPEND, 0644);
  if (!strcmp(kind, "append")) return write(fd, block, sizeof block) == sizeof block;
  if (!strcmp(kind, "open")) return close(open("file", O_RDONLY)) == 0;
  return 0;
}

static int list(void) {
  int seen = 0;
  DIR *dir = opendir("many");
  // Not every WASI has the dots.
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) seen += entry->d_name[0] != '.';
  closedir(dir);
  return seen == 10000 ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc < 3) return 0;
  if (!strcmp(argv[1], "list")) return list();
  for (int count = atoi(argv[2]); count > 0; count--) {
    if (!run(argv[1])) return 1;
  }
  return 0;
}
