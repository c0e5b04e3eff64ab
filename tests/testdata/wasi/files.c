// Checks the file system from the inside. The status is 0, or the number of the check that failed.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

static int number;
#define CHECK(condition)        \
  do {                          \
    number++;                   \
    if (!(condition)) {         \
      dprintf(2, "check %d failed: %s, errno %d\n", number, #condition, errno); \
      return number;            \
    }                           \
  } while (0)
#define FAILS(call, error) CHECK((errno = 0, (call) == -1 && errno == (error)))

static int contents(void) {
  char buffer[64];
  struct stat st;
  int fd = open("file", O_CREAT | O_EXCL | O_RDWR, 0644);
  CHECK(fd > 2);
  FAILS(open("file", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
  CHECK(write(fd, "hello world", 11) == 11);
  CHECK(lseek(fd, 6, SEEK_SET) == 6);
  CHECK(read(fd, buffer, sizeof buffer) == 5 && !memcmp(buffer, "world", 5));
  CHECK(read(fd, buffer, sizeof buffer) == 0);
  CHECK(pread(fd, buffer, 5, 0) == 5 && !memcmp(buffer, "hello", 5));
  CHECK(pwrite(fd, "J", 1, 0) == 1);
  CHECK(lseek(fd, -11, SEEK_END) == 0);
  FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
  CHECK(lseek(fd, 20, SEEK_SET) == 20 && write(fd, "!", 1) == 1);
  CHECK(fstat(fd, &st) == 0 && st.st_size == 21 && st.st_nlink == 1 && S_ISREG(st.st_mode));
  CHECK(pread(fd, buffer, 21, 0) == 21 && !memcmp(buffer, "Jello world\0\0\0\0\0\0\0\0\0!", 21));
  CHECK(ftruncate(fd, 5) == 0 && ftruncate(fd, 8) == 0);
  CHECK(pread(fd, buffer, 64, 0) == 8 && !memcmp(buffer, "Jello\0\0\0", 8));
  CHECK(close(fd) == 0);
  FAILS(close(fd), EBADF);
  FAILS(write(open("file", O_RDONLY), "x", 1), EBADF);
  FAILS(read(open("file", O_WRONLY), buffer, 1), EBADF);
  fd = open("file", O_WRONLY | O_APPEND);
  CHECK(fd > 2 && lseek(fd, 0, SEEK_SET) == 0 && write(fd, "ab", 2) == 2 && write(fd, "c", 1) == 1);
  CHECK(fcntl(fd, F_GETFL) & O_APPEND);
  CHECK(pwrite(fd, "H", 1, 0) == 1);
  CHECK(fcntl(fd, F_SETFL, 0) == 0 && lseek(fd, 1, SEEK_SET) == 1 && write(fd, "E", 1) == 1);
  CHECK(close(fd) == 0);
  fd = open("file", O_RDONLY);
  CHECK(read(fd, buffer, 64) == 12 && !memcmp(buffer, "JEllo\0\0\0abcH", 12));
  CHECK(close(open("file", O_WRONLY | O_TRUNC)) == 0 && fstat(fd, &st) == 0 && st.st_size == 0);
  CHECK(unlink("file") == 0 && fstat(fd, &st) == 0 && st.st_nlink == 0);
  FAILS(open("file", O_RDONLY), ENOENT);
  return 0;
}

static int names(void) {
  struct stat st, other;
  char buffer[64];
  CHECK(mkdir("dir", 0755) == 0 && mkdir("dir/sub/", 0755) == 0);
  FAILS(mkdir("dir", 0755), EEXIST);
  FAILS(mkdir("none/sub", 0755), ENOENT);
  CHECK(stat("dir", &st) == 0 && S_ISDIR(st.st_mode) && st.st_nlink == 3);
  CHECK(close(open("dir/file", O_CREAT | O_WRONLY, 0644)) == 0);
  FAILS(open("dir/file/", O_RDONLY), ENOTDIR);
  FAILS(open("dir/file/x", O_RDONLY), ENOTDIR);
  FAILS(open("dir", O_WRONLY), EISDIR);
  FAILS(rmdir("dir"), ENOTEMPTY);
  FAILS(rmdir("dir/file"), ENOTDIR);
  FAILS(unlink("dir/sub"), EISDIR);
  CHECK(link("dir/file", "hard") == 0 && stat("hard", &st) == 0 && stat("dir/file", &other) == 0);
  CHECK(st.st_ino == other.st_ino && st.st_dev == other.st_dev && st.st_nlink == 2);
  FAILS(link("dir/file", "hard"), EEXIST);
  FAILS(link("dir", "hard2"), EPERM);
  CHECK(symlink("dir/../dir/sub", "soft") == 0 && lstat("soft", &st) == 0 && S_ISLNK(st.st_mode));
  CHECK(st.st_size == 14 && readlink("soft", buffer, 4) == 4 && !memcmp(buffer, "dir/", 4));
  CHECK(stat("soft", &st) == 0 && S_ISDIR(st.st_mode));
  CHECK(close(open("soft/inner", O_CREAT | O_WRONLY, 0644)) == 0 && stat("dir/sub/inner", &st) == 0);
  FAILS(rmdir("soft/"), ENOTDIR);
  CHECK(symlink("loop", "loop") == 0);
  FAILS(stat("loop", &st), ELOOP);
  FAILS(open("loop", O_RDONLY | O_NOFOLLOW), ELOOP);
  CHECK(symlink("made", "dangling") == 0 && close(open("dangling", O_CREAT | O_WRONLY, 0644)) == 0);
  CHECK(stat("made", &st) == 0 && S_ISREG(st.st_mode));
  FAILS(rename("dir", "dir/sub/dir"), EINVAL);
  FAILS(rename("hard", "dir"), EISDIR);
  FAILS(rename("dir", "hard"), ENOTDIR);
  CHECK(mkdir("empty", 0755) == 0 && rename("dir/sub", "empty") == 0 && stat("empty/inner", &st) == 0);
  FAILS(rename("dir", "empty"), ENOTEMPTY);
  CHECK(rename("hard", "dir/file") == 0 && stat("hard", &st) == 0);
  CHECK(rename("hard", "made") == 0 && stat("made", &st) == 0 && st.st_nlink == 2);
  FAILS(stat("hard", &st), ENOENT);
  FAILS(rename("none", "x"), ENOENT);
  return 0;
}

static int listing(void) {
  CHECK(mkdir("many", 0755) == 0);
  char name[32];
  for (int i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "many/entry-%d", i);
    CHECK(close(open(name, O_CREAT | O_WRONLY, 0644)) == 0);
  }
  number = 1000;
  int seen = 0, dots = 0;
  DIR *dir = opendir("many");
  CHECK(dir != NULL);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.') {
      dots++;
      CHECK(entry->d_type == DT_DIR);
      continue;
    }
    seen++;
    // Removing while reading: every entry is still met once.
    snprintf(name, sizeof name, "many/%s", entry->d_name);
    CHECK(entry->d_type == DT_REG && unlink(name) == 0);
  }
  number = 2000;
  CHECK(dots == 2 && seen == 300);
  rewinddir(dir);
  for (seen = 0; readdir(dir) != NULL;) seen++;
  CHECK(seen == 2 && closedir(dir) == 0 && rmdir("many") == 0);
  return 0;
}

static int times(void) {
  struct stat st;
  int fd = open("timed", O_CREAT | O_WRONLY, 0644);
  struct timespec set[2] = {{.tv_sec = 100, .tv_nsec = 1}, {.tv_sec = 200, .tv_nsec = 2}};
  number = 3000;
  CHECK(futimens(fd, set) == 0 && fstat(fd, &st) == 0);
  CHECK(st.st_atim.tv_sec == 100 && st.st_atim.tv_nsec == 1 && st.st_mtim.tv_sec == 200);
  CHECK(__wasi_path_filestat_set_times(3, 0, "timed", 5, 5, __WASI_FSTFLAGS_MTIM_NOW) == 0);
  CHECK(__wasi_path_filestat_set_times(3, 0, "timed", 5, 5, 3) == __WASI_ERRNO_INVAL);
  CHECK(stat("timed", &st) == 0);
  CHECK(st.st_atim.tv_sec == 100 && st.st_mtim.tv_sec == 1700000000);
  CHECK(posix_fallocate(fd, 10, 90) == 0 && fstat(fd, &st) == 0 && st.st_size == 100);
  CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0 && fsync(fd) == 0 && fdatasync(fd) == 0);
  return 0;
}

int main(void) {
  int failed = contents();
  if (!failed) failed = names();
  if (!failed) failed = listing();
  if (!failed) failed = times();
  return failed > 255 ? 255 : failed;
}
