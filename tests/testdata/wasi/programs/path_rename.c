// rename of everything onto everything.
#include "tree.h"

static int call(const char *from, const char *to) { return renameat(tree, from, tree, to); }

int main(void) {
  try_pairs("rename", call);
  // A directory into what lies below it, and onto what lies above.
  make_tree();
  SAY(renameat(tree, "dir", tree, "dir/sub/deep"));
  SAY(renameat(tree, "dir", tree, "dir/sub"));
  SAY(renameat(tree, "dir/sub", tree, "dir"));
  SAY(renameat(tree, "dir/inner", tree, "dir"));
  // A moved directory keeps what is in it, its links are counted where it is.
  struct stat st;
  SAY(mkdirat(tree, "dir/sub/deep", 0755));
  SAY(renameat(tree, "dir/sub", tree, "moved"));
  SAY(fstatat(tree, "moved/deep", &st, 0));
  SAY((fstatat(tree, "moved", &st, 0), st.st_nlink));
  SAY((fstatat(tree, "dir", &st, 0), st.st_nlink));
  SAY(fstatat(tree, "moved/../file", &st, 0));
  // An open file stays the same through renames, also when another one takes its name.
  char buffer[16] = "";
  int fd = openat(tree, "other", O_RDONLY);
  SAY(renameat(tree, "file", tree, "other"));
  SAY((fstat(fd, &st), st.st_nlink));
  SAY(read(fd, buffer, sizeof buffer));
  say_pair("still there", buffer);
}
