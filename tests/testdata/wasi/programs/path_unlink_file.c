// unlink on everything.
#include "tree.h"

static int call(const char *path) { return unlinkat(tree, path, 0); }

int main(void) { try_paths("unlink", call); }
