// args: 25
// Thousands of calls with random arguments, always the same ones: every result has to be that of Linux.
#include "program.h"
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static unsigned long long state;

static unsigned random_below(unsigned limit) {
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (unsigned)(state >> 33) % limit;
}

static int root;
static int fds[6] = {-1, -1, -1, -1, -1, -1};
static char data[600000];

static const char *const NAMES[] = {"a", "b", "c", "d"};

static void random_path(char *path) {
  path[0] = 0;
  for (unsigned names = 1 + random_below(3); names > 0; names--) {
    strcat(path, NAMES[random_below(4)]);
    // Never `..` twice, so that no path leaves the directory.
    if (random_below(12) == 0) strcat(path, "/.");
    else if (names == 2 && random_below(10) == 0) strcat(path, "/..");
    if (names > 1) strcat(path, "/");
  }
  if (random_below(15) == 0) strcat(path, "/");
}

static void say_args(const char *what, const char *one, const char *two, long long number) {
  say(what);
  if (one) { say(" "); say(one); }
  if (two) { say(" "); say(two); }
  if (number >= 0) { say(" "); say_number(number); }
}

static void result(long long value) {
  int error = errno;
  say_result("", value, error);
}

static void show(const char *path, int flags) {
  struct stat st;
  int got = fstatat(root, path, &st, flags);
  if (got == 0) {
    say(S_ISDIR(st.st_mode) ? " dir" : S_ISLNK(st.st_mode) ? " link" : " file");
    say(" links "); say_number(st.st_nlink);
    if (!S_ISDIR(st.st_mode)) { say(" size "); say_number(st.st_size); }
  }
  result(got);
}

static long long checksum(int fd, long long at, size_t count) {
  static char buffer[600000];
  ssize_t got = pread(fd, buffer, count, at);
  if (got < 0) return -1;
  long long sum = got;
  for (ssize_t i = 0; i < got; i++) sum = (sum * 31 + (unsigned char)buffer[i]) % 1000000007;
  return sum;
}

static void on_names(unsigned kind, const char *one, const char *two) {
  char target[64] = "";
  switch (kind) {
    case 0: say_args("mkdir", one, NULL, -1); result(mkdirat(root, one, 0755)); break;
    case 1: say_args("rmdir", one, NULL, -1); result(unlinkat(root, one, AT_REMOVEDIR)); break;
    case 2: say_args("unlink", one, NULL, -1); result(unlinkat(root, one, 0)); break;
    case 3: say_args("rename", one, two, -1); result(renameat(root, one, root, two)); break;
    case 4: say_args("link", one, two, -1); result(linkat(root, one, root, two, 0)); break;
    case 5: say_args("symlink", one, two, -1); result(symlinkat(one, root, two)); break;
    case 6: {
      say_args("readlink", one, NULL, -1);
      long long got = readlinkat(root, one, target, sizeof target - 1);
      say(" "); say(target);
      result(got);
      break;
    }
    case 7: say_args("stat", one, NULL, -1); show(one, 0); break;
    case 8: say_args("lstat", one, NULL, -1); show(one, AT_SYMLINK_NOFOLLOW); break;
  }
}

static void on_file(unsigned kind, unsigned slot) {
  unsigned at = random_below(4) == 0 ? random_below(600000) : random_below(2000);
  unsigned count = random_below(5) == 0 ? random_below(600000) : random_below(3000);
  struct iovec pieces[2] = {{data + at % 100, count / 3}, {data + 7, count - count / 3}};
  int fd = fds[slot];
  switch (kind) {
    case 0: say_args("write", NULL, NULL, slot); result(write(fd, data + at % 1000, count % 599000)); break;
    case 1: say_args("pwrite", NULL, NULL, slot); result(pwrite(fd, data + at % 1000, count % 599000, at)); break;
    case 2: say_args("writev", NULL, NULL, slot); result(writev(fd, pieces, 2)); break;
    case 3: say_args("checksum", NULL, NULL, slot); result(checksum(fd, at, count)); break;
    case 4: say_args("truncate", NULL, NULL, slot); result(ftruncate(fd, at)); break;
    case 5: say_args("seek", NULL, NULL, slot); result(lseek(fd, (long long)at - 500, random_below(3) == 0 ? SEEK_END : SEEK_SET)); break;
    case 6: {
      struct stat st;
      say_args("fstat", NULL, NULL, slot);
      int got = fstat(fd, &st);
      if (got == 0) { say(" size "); say_number(st.st_size); say(" links "); say_number(st.st_nlink); }
      result(got);
      break;
    }
    case 7: say_args("allocate", NULL, NULL, slot); errno = posix_fallocate(fd, at, count + 1); result(errno ? -1 : 0); break;
    case 8: say_args("close", NULL, NULL, slot); result(close(fd)); fds[slot] = -1; break;
  }
}

static void open_one(const char *path, unsigned slot) {
  static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
  int flags = modes[random_below(4)];
  if (random_below(2)) flags |= O_CREAT;
  if (random_below(6) == 0) flags |= O_EXCL & (flags & O_CREAT ? -1 : 0);
  if (random_below(6) == 0) flags |= O_TRUNC;
  if (random_below(4) == 0) flags |= O_APPEND;
  if (random_below(8) == 0) flags |= O_NOFOLLOW;
  if (fds[slot] >= 0) close(fds[slot]);
  fds[slot] = openat(root, path, flags, 0644);
  say_args("open", path, NULL, slot);
  result(fds[slot] < 0 ? -1 : 0);
  struct stat st;
  // Only files, as a directory gives other errors to some calls.
  if (fds[slot] >= 0 && fstat(fds[slot], &st) == 0 && !S_ISREG(st.st_mode)) { close(fds[slot]); fds[slot] = -1; }
}

int main(int argc, char **argv) {
  state = atoi(argv[1]);
  for (size_t i = 0; i < sizeof data; i++) data[i] = 'a' + random_below(26);
  root = open(".", O_RDONLY | O_DIRECTORY);
  char one[64], two[64];
  for (int step = 0; step < 6000; step++) {
    random_path(one);
    random_path(two);
    unsigned what = random_below(10);
    if (what < 6) on_names(random_below(9), one, two);
    else if (what < 8) open_one(one, random_below(6));
    else on_file(random_below(9), random_below(6));
  }
}
