// open of everything with every combination of flags.
#include "tree.h"

static const struct { int flag; char letter; } FLAGS[] = {
  {O_CREAT, 'C'}, {O_EXCL, 'E'}, {O_TRUNC, 'T'}, {O_DIRECTORY, 'D'}, {O_NOFOLLOW, 'N'},
};
static const struct { int mode; char letter; } MODES[] = {{O_RDONLY, 'r'}, {O_WRONLY, 'w'}, {O_RDWR, 'b'}};

static void try_open(const char *path, int flags) {
  int fd = openat(tree, path, flags, 0644);
  say_outcome(fd < 0 ? -1 : 0);
  if (fd >= 0) close(fd);
  say(", then ");
  say_kind(path);
  // What was there is still there, or cut.
  say(" ");
  say_kind("file");
  say(" ");
  say_kind("none");
  say("\n");
}

int main(void) {
  for (size_t path = 0; path < PATHS_COUNT; path++) {
    for (int mode = 0; mode < 3; mode++) {
      for (int bits = 0; bits < 32; bits++) {
        int flags = MODES[mode].mode;
        char letters[8] = {MODES[mode].letter};
        for (int flag = 0; flag < 5; flag++) {
          int set = bits >> flag & 1;
          letters[flag + 1] = set ? FLAGS[flag].letter : '-';
          if (set) flags |= FLAGS[flag].flag;
        }
        // Which of its errors this combination gives depends on the version of Linux.
        if ((flags & O_CREAT) && (flags & O_DIRECTORY)) continue;
        make_tree();
        say(letters); say(" \""); say(PATHS[path]); say("\": ");
        try_open(PATHS[path], flags);
      }
    }
  }
}
