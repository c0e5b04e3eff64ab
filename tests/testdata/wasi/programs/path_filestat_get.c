// stat and lstat of everything.
#include "tree.h"

static int show(const char *path, int flags) {
  struct stat st;
  if (fstatat(tree, path, &st, flags) != 0) return -1;
  say(S_ISDIR(st.st_mode) ? "directory" : S_ISLNK(st.st_mode) ? "link" : S_ISREG(st.st_mode) ? "file" : "?");
  say(" links "); say_number(st.st_nlink);
  if (!S_ISDIR(st.st_mode)) { say(" size "); say_number(st.st_size); }
  say(" ");
  return 0;
}

static int plain(const char *path) { return show(path, AT_SYMLINK_NOFOLLOW); }
static int following(const char *path) { return show(path, 0); }

int main(void) {
  try_paths("lstat", plain);
  try_paths("stat", following);
  // The same inode by all its names, another one for everything else.
  make_tree();
  struct stat a, b;
  const char *const same[][2] = {
    {"file", "hard"}, {"dir", "dir/."}, {"dir", "dir/sub/.."}, {"link", "file"}, {"link_dir/inner", "dir/inner"},
    {"file", "other"}, {"dir", "empty"}, {"dir", "."}, {"dir/..", "."},
  };
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    fstatat(tree, same[i][0], &a, 0);
    fstatat(tree, same[i][1], &b, 0);
    say(same[i][0]); say(a.st_ino == b.st_ino ? " is " : " is not "); say(same[i][1]);
    say(a.st_dev == b.st_dev ? ", same device\n" : ", another device\n");
  }
}
