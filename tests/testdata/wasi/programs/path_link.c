// link of everything to everything, without and with following the source.
#include "tree.h"

static int plain(const char *from, const char *to) { return linkat(tree, from, tree, to, 0); }
static int following(const char *from) { return linkat(tree, from, tree, "new", AT_SYMLINK_FOLLOW); }

int main(void) {
  try_pairs("link", plain);
  try_paths("link, following,", following);
  make_tree();
  struct stat a, b;
  SAY(linkat(tree, "other", tree, "dir/name", 0));
  SAY(fstatat(tree, "other", &a, 0) + fstatat(tree, "dir/name", &b, 0));
  SAY(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
  SAY(b.st_nlink);
  SAY(unlinkat(tree, "other", 0));
  SAY((fstatat(tree, "dir/name", &b, 0), b.st_nlink));
  SAY(b.st_size);
}
