// Tries to leave its directory in every way it knows; the status is the number of ways that worked.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int opens(int dir, const char *path) {
  int fd = openat(dir, path, O_RDONLY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

int main(void) {
  int worked = 0;
  mkdir("inner", 0755);
  symlink("../secret", "up");
  symlink("inner/../../secret", "around");
  worked += symlink("/secret", "absolute") == 0;
  int inner = open("inner", O_RDONLY | O_DIRECTORY);
  if (inner < 0) return 100;
  worked += opens(inner, "../inner");
  worked += opens(inner, "..");
  worked += opens(inner, "./../inner");
  int here = open(".", O_RDONLY | O_DIRECTORY);
  if (here < 0) return 101;
  worked += opens(here, "..");
  worked += opens(here, "inner/../../secret");
  worked += opens(here, "up");
  worked += opens(here, "around");
  worked += opens(here, "absolute");
  worked += renameat(here, "inner", here, "../stolen") == 0;
  worked += linkat(here, "../secret", here, "copy", 0) == 0;
  worked += unlinkat(here, "../secret", 0) == 0;
  return worked;
}
