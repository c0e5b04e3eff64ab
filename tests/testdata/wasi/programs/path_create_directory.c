// mkdir on everything.
#include "tree.h"

static int call(const char *path) { return mkdirat(tree, path, 0755); }

int main(void) {
  try_paths("mkdir", call);
  // In a directory that was removed nothing can be made.
  make_tree();
  int empty = openat(tree, "empty", O_RDONLY | O_DIRECTORY);
  SAY(unlinkat(tree, "empty", AT_REMOVEDIR));
  SAY(mkdirat(empty, "new", 0755));
  SAY_OPEN(openat(empty, "new", O_CREAT | O_WRONLY, 0644));
  SAY(symlinkat("x", empty, "new"));
  SAY(linkat(tree, "file", empty, "new", 0));
  SAY(renameat(tree, "file", empty, "new"));
  SAY_OPEN(openat(empty, ".", O_RDONLY));
}
