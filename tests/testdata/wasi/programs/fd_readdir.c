// readdir: kinds, dots, a directory that changes while it is read, telldir, seekdir and rewinddir.
#include "program.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static char names[600][16];
static int count;

static int compare(const void *a, const void *b) { return strcmp(a, b); }

static void make(const char *path) { close(open(path, O_CREAT | O_WRONLY, 0644)); }

// All entries, sorted, as the order is nobody's business.
static void list(DIR *dir) {
  count = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL; count++) {
    names[count][0] = entry->d_type == DT_DIR ? 'd' : entry->d_type == DT_LNK ? 'l' : entry->d_type == DT_REG ? 'f' : '?';
    strcpy(names[count] + 1, entry->d_name);
  }
  qsort(names, count, sizeof *names, compare);
  for (int i = 0; i < count; i++) { say(names[i]); say(" "); }
  say("\n");
}

static void numbered(char *path, int number) {
  strcpy(path, "many/000");
  for (int at = 7; at > 4; at--, number /= 10) path[at] = '0' + number % 10;
}

int main(void) {
  char path[16];
  mkdir("dir", 0755);
  DIR *dir = opendir("dir");
  list(dir);
  make("dir/file");
  mkdir("dir/sub", 0755);
  symlink("file", "dir/link");
  symlink("none", "dir/dangling");
  link("dir/file", "dir/hard");
  make("dir/größe");
  make("dir/日本");
  rewinddir(dir);
  list(dir);
  list(dir);
  // The numbers are those of stat.
  rewinddir(dir);
  struct stat st;
  int same = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (strcmp(entry->d_name, "..") == 0) continue;
    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW);
    same += st.st_ino == entry->d_ino;
  }
  SAY(same);
  SAY(rename("dir/file", "dir/moved"));
  SAY(unlink("dir/link"));
  rewinddir(dir);
  list(dir);
  SAY(closedir(dir));

  // Everything removed while it is read is still met exactly once, more than one buffer of it.
  mkdir("many", 0755);
  for (int i = 0; i < 500; i++) { numbered(path, i); make(path); }
  dir = opendir("many");
  int met = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    met++;
    if (unlinkat(dirfd(dir), entry->d_name, 0) != 0) say("gone too early\n");
  }
  SAY(met);
  rewinddir(dir);
  list(dir);

  // Back to where it was told to be.
  for (int i = 0; i < 300; i++) { numbered(path, i); make(path); }
  rewinddir(dir);
  for (int i = 0; i < 100; i++) readdir(dir);
  long place = telldir(dir);
  char next[16];
  strcpy(next, readdir(dir)->d_name);
  for (int i = 0; i < 150; i++) readdir(dir);
  seekdir(dir, place);
  SAY(strcmp(next, readdir(dir)->d_name));
  for (met = 0; readdir(dir) != NULL; met++);
  SAY(met);
  // An open directory that is removed has no entries.
  SAY(closedir(dir));
  dir = opendir("dir/sub");
  SAY(rmdir("dir/sub"));
  rewinddir(dir);
  for (met = 0; readdir(dir) != NULL; met++);
  SAY(met);
  SAY(closedir(dir));
  SAY(opendir("dir/moved") == NULL ? -1 : 0);
  SAY(opendir("none") == NULL ? -1 : 0);
}
