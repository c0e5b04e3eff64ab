// Links that lead to links: 40 are followed, one more is not; loops end.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

static char name[8], target[8];

static void set(char *text, char first, int number) {
  text[0] = first;
  text[1] = '0' + number / 10;
  text[2] = '0' + number % 10;
  text[3] = 0;
}

int main(void) {
  struct stat st;
  close(open("f00", O_CREAT | O_WRONLY, 0644));
  mkdir("d00", 0755);
  close(open("d00/inner", O_CREAT | O_WRONLY, 0644));
  for (int i = 1; i <= 42; i++) {
    set(name, 'f', i);
    set(target, 'f', i - 1);
    symlink(target, name);
    name[0] = target[0] = 'd';
    symlink(target, name);
  }
  SAY(stat("f40", &st));
  SAY(stat("f41", &st));
  SAY(lstat("f41", &st));
  SAY_OPEN(open("f40", O_RDONLY));
  SAY_OPEN(open("f41", O_RDONLY));
  SAY(stat("d40/inner", &st));
  SAY(stat("d41/inner", &st));
  SAY(stat("d20/../d20/inner", &st));
  SAY(stat("d20/../d21/inner", &st));
  SAY(stat("d40/", &st));
  SAY(stat("d41/", &st));
  SAY(lstat("d40", &st));
  SAY(symlink("self", "self"));
  SAY(stat("self", &st));
  SAY(stat("self/x", &st));
  SAY(lstat("self", &st));
  SAY_OPEN(open("self", O_RDONLY));
  SAY_OPEN(open("self", O_CREAT | O_WRONLY, 0644));
  SAY_OPEN(open("self", O_CREAT | O_EXCL | O_WRONLY, 0644));
  symlink("pong", "ping");
  symlink("ping", "pong");
  SAY(stat("ping", &st));
  SAY(link("ping", "other"));
  SAY(lstat("other", &st));
  SAY(unlink("self"));
  symlink("tail/tail", "tail");
  SAY(stat("tail", &st));
  SAY_OPEN(open("d41", O_RDONLY | O_NOFOLLOW));
}
