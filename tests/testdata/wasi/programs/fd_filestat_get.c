// fstat: kinds, sizes, links, and that it follows a file and not its name.
#include "program.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(void) {
  struct stat st, other;
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(fstat(fd, &st));
  SAY(S_ISREG(st.st_mode));
  SAY(st.st_size);
  SAY(st.st_nlink);
  SAY(write(fd, "contents", 8));
  SAY(link("file", "second"));
  SAY((fstat(fd, &st), st.st_size));
  SAY(st.st_nlink);
  SAY(unlink("file"));
  SAY((fstat(fd, &st), st.st_nlink));
  SAY(unlink("second"));
  SAY((fstat(fd, &st), st.st_nlink));
  SAY(st.st_size);
  mkdir("dir", 0755);
  int dir = open("dir", O_RDONLY | O_DIRECTORY);
  SAY(fstat(dir, &st));
  SAY(S_ISDIR(st.st_mode));
  SAY(st.st_nlink);
  SAY(mkdir("dir/sub", 0755));
  SAY((fstat(dir, &st), st.st_nlink));
  SAY((stat("dir", &other), st.st_ino == other.st_ino && st.st_dev == other.st_dev));
  SAY(rename("dir", "moved"));
  SAY((fstat(dir, &other), st.st_ino == other.st_ino));
  SAY(rmdir("moved/sub"));
  SAY(rmdir("moved"));
  SAY((fstat(dir, &st), st.st_nlink));
  SAY(fstat(99, &st));
}
