// symlink at everything, and with every kind of target but absolute ones, which no WASI program can make.
#include "tree.h"

static int call(const char *path) { return symlinkat("some/where", tree, path); }
static int target(const char *path) { return symlinkat(path, tree, "new"); }

int main(void) {
  try_paths("symlink at", call);
  try_paths("symlink to", target);
  make_tree();
  static char text[5000];
  memset(text, 'x', sizeof text - 1);
  text[4096] = 0;
  SAY(symlinkat(text, tree, "long"));
  text[4095] = 0;
  SAY(symlinkat(text, tree, "long"));
  struct stat st;
  SAY((fstatat(tree, "long", &st, AT_SYMLINK_NOFOLLOW), st.st_size));
  SAY(fstatat(tree, "long", &st, 0));
  SAY(symlinkat("größe/日本", tree, "wide"));
  SAY((fstatat(tree, "wide", &st, AT_SYMLINK_NOFOLLOW), st.st_size));
}
