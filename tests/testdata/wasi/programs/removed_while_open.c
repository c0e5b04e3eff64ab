// What is removed stays as long as it is open, and a new one of its name is another.
#include "program.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int main(void) {
  char buffer[16] = "";
  struct stat st, other;
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  SAY(write(fd, "old", 3));
  SAY(unlink("file"));
  SAY(stat("file", &st));
  SAY(write(fd, "er", 2));
  SAY(pread(fd, buffer, 16, 0));
  say_pair("contents", buffer);
  int second = open("file", O_CREAT | O_EXCL | O_RDWR, 0644);
  SAY(write(second, "new", 3));
  SAY(fstat(fd, &st) + fstat(second, &other));
  SAY(st.st_ino == other.st_ino);
  SAY(st.st_nlink);
  SAY(st.st_size);
  SAY(ftruncate(fd, 2));
  SAY(fsync(fd));
  SAY(close(fd));
  SAY(pread(second, buffer, 16, 0));
  // Replaced by a rename.
  int third = open("third", O_CREAT | O_RDWR, 0644);
  SAY(rename("third", "file"));
  SAY((fstat(second, &st), st.st_nlink));
  SAY(pread(second, buffer, 16, 0));
  SAY((fstat(third, &st), st.st_nlink));
  // A directory.
  SAY(mkdir("dir", 0755));
  int dir = open("dir", O_RDONLY | O_DIRECTORY);
  SAY(rmdir("dir"));
  SAY(mkdir("dir", 0755));
  SAY(fstat(dir, &st) + stat("dir", &other));
  SAY(st.st_ino == other.st_ino);
  SAY(close(open("dir/file", O_CREAT | O_WRONLY, 0644)));
  SAY_OPEN(openat(dir, "file", O_RDONLY));
  SAY(fstatat(dir, "file", &st, 0));
  SAY(fstatat(dir, ".", &st, 0));
  SAY(unlinkat(dir, "file", 0));
  SAY(renameat(dir, "x", dir, "y"));
  SAY(fsync(dir));
  SAY(close(dir));
}
