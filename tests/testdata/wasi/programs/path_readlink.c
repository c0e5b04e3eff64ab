// readlink of everything, and into buffers that are too short.
#include "tree.h"

static int call(const char *path) {
  char buffer[64] = "";
  int got = readlinkat(tree, path, buffer, sizeof buffer);
  if (got >= 0) { say("["); say_bytes(buffer, got); say("] "); }
  return got < 0 ? -1 : 0;
}

int main(void) {
  try_paths("readlink", call);
  make_tree();
  char buffer[8] = ".......";
  SAY(readlinkat(tree, "link_dir", buffer, 2));
  say_pair("buffer", buffer);
  SAY(readlinkat(tree, "link_dir", buffer, 3));
  say_pair("buffer", buffer);
  SAY(readlinkat(tree, "link_dir", buffer, 4));
  say_pair("buffer", buffer);
  SAY(readlinkat(tree, "link_dir", buffer, 0));
}
