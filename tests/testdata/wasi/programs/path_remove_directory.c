// rmdir on everything.
#include "tree.h"

static int call(const char *path) { return unlinkat(tree, path, AT_REMOVEDIR); }

int main(void) { try_paths("rmdir", call); }
