// Names: all that Linux takes, of up to 255 bytes; paths of up to 4095.
#include "program.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static char text[6000];

static void fill(int bytes) {
  memset(text, 'n', bytes);
  text[bytes] = 0;
}

static void wide(int count) {
  text[0] = 0;
  for (int i = 0; i < count; i++) strcat(text, "ü");
}

int main(void) {
  const char *const odd[] = {
    "größe", "日本語", "🦕", "a b", " ", "...", "..a", "-", "a\\b", "\"", "'", "*", "new\nline", "\x01", "~", "CON", "e\xcc\x81",
    "\xc3\xa9", "\xef\xbb\xbfmark",
  };
  struct stat st;
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    SAY_OPEN(open(odd[i], O_CREAT | O_EXCL | O_WRONLY, 0644));
    SAY(stat(odd[i], &st));
  }
  int count = 0;
  DIR *dir = opendir(".");
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) count += strcmp(entry->d_name, odd[i]) == 0;
  }
  SAY(count);
  // The longest names, in bytes and not in letters.
  fill(255);
  SAY(mkdir(text, 0755));
  SAY(stat(text, &st));
  SAY(rename(text, "short"));
  fill(256);
  SAY(mkdir(text, 0755));
  SAY(stat(text, &st));
  SAY_OPEN(open(text, O_CREAT | O_WRONLY, 0644));
  SAY_OPEN(open(text, O_RDONLY));
  SAY(unlink(text));
  SAY(rmdir(text));
  SAY(rename("short", text));
  SAY(rename(text, "short"));
  SAY(symlink("x", text));
  SAY(link("...", text));
  strcat(text, "/x");
  SAY(stat(text, &st));
  SAY_OPEN(open(text, O_CREAT | O_WRONLY, 0644));
  wide(127);
  SAY(mkdir(text, 0755));
  wide(128);
  SAY(mkdir(text, 0755));
  // The longest paths.
  text[0] = 0;
  for (int i = 0; i < 2045; i++) strcat(text, "./");
  strcat(text, "short");
  SAY(strlen(text));
  SAY(stat(text, &st));
  SAY_OPEN(open(text, O_RDONLY));
  strcat(text, "/");
  SAY(strlen(text));
  SAY(stat(text, &st));
  SAY_OPEN(open(text, O_RDONLY));
  SAY(mkdir(text, 0755));
  fill(5000);
  SAY(stat(text, &st));
  fill(4095);
  SAY(stat(text, &st));
  SAY(symlink("", "empty"));
}
