// utimensat of everything, following links and not.
#include "tree.h"
#include <time.h>

static int set(const char *path, int flags) {
  struct timespec both[2] = {{.tv_sec = 1000, .tv_nsec = 1}, {.tv_sec = 2000, .tv_nsec = 2}};
  int result = utimensat(tree, path, both, flags);
  if (result == 0) {
    struct stat st;
    fstatat(tree, path, &st, flags);
    say_number(st.st_atim.tv_sec); say("."); say_number(st.st_atim.tv_nsec); say(" ");
    say_number(st.st_mtim.tv_sec); say("."); say_number(st.st_mtim.tv_nsec); say(" ");
    if (fstatat(tree, path, &st, flags ^ AT_SYMLINK_NOFOLLOW) == 0) say(st.st_mtim.tv_sec == 2000 ? "both " : "one ");
  }
  return result;
}

static int plain(const char *path) { return set(path, AT_SYMLINK_NOFOLLOW); }
static int following(const char *path) { return set(path, 0); }

int main(void) {
  try_paths("set times, not following,", plain);
  try_paths("set times, following,", following);
}
