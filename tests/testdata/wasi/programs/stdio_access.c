// After fopen-with-access, fopen-with-no-access, fdopendir-with-access, lseek, pread-with-access, pwrite-with-access,
// pwrite-with-append and stat-dev-ino of the suite, through the C library.
#include "program.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(void) {
  char buffer[32] = "";
  struct stat a, b;
  FILE *file = fopen("file", "w");
  SAY(file != NULL);
  SAY(fprintf(file, "line %d\n", 1));
  SAY(fclose(file));
  file = fopen("file", "a+");
  SAY(fputs("line 2\n", file) >= 0);
  rewind(file);
  SAY(fread(buffer, 1, 32, file));
  SAY(fseek(file, 5, SEEK_SET));
  SAY(fgetc(file));
  SAY(ftell(file));
  SAY(fclose(file));
  SAY(fopen("none", "r") == NULL ? -1 : 0);
  SAY(fopen("none/file", "w") == NULL ? -1 : 0);
  mkdir("dir", 0755);
  SAY(fopen("dir", "w") == NULL ? -1 : 0);
  close(open("dir/one", O_CREAT | O_WRONLY, 0644));
  close(open("dir/two", O_CREAT | O_WRONLY, 0644));
  int fd = open("dir", O_RDONLY | O_DIRECTORY);
  DIR *dir = fdopendir(fd);
  int same = 0, seen = 0;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    seen++;
    fstatat(fd, entry->d_name, &a, AT_SYMLINK_NOFOLLOW);
    same += a.st_ino == entry->d_ino;
  }
  SAY(seen);
  SAY(same);
  SAY(closedir(dir));
  SAY(stat("dir/one", &a) + stat("dir/two", &b));
  SAY(a.st_dev == b.st_dev);
  SAY(a.st_ino == b.st_ino);
  fd = open("new", O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0644);
  SAY(write(fd, "ab", 2));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(write(fd, "cd", 2));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(pwrite(fd, "efg", 3, 0));
  SAY(lseek(fd, 0, SEEK_CUR));
  SAY(lseek(fd, 0, SEEK_END));
  SAY(rename("new", "newer"));
  SAY(remove("newer"));
  SAY(remove("dir"));
  SAY(remove("dir/one") + remove("dir/two") + remove("dir"));
}
