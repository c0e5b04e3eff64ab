// A small tree with something of every kind in it, made anew for each try, and paths to all of it.
#pragma once
#include "program.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

// Descriptor of the tree of this try; paths are relative to it.
static int tree = -1;

static inline void make_file(const char *path, const char *contents) {
  int fd = openat(tree, path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  if (fd < 0 || write(fd, contents, strlen(contents)) < 0) _exit(98);
  close(fd);
}

static inline void make_tree(void) {
  static int number;
  char name[12] = "tree-";
  number++;
  for (int at = 8, rest = number; at >= 5; at--, rest /= 10) name[at] = '0' + rest % 10;
  if (tree >= 0) close(tree);
  if (mkdir(name, 0755) != 0) _exit(97);
  tree = open(name, O_RDONLY | O_DIRECTORY);
  make_file("file", "contents");
  linkat(tree, "file", tree, "hard", 0);
  make_file("other", "other");
  mkdirat(tree, "dir", 0755);
  make_file("dir/inner", "inner");
  mkdirat(tree, "dir/sub", 0755);
  mkdirat(tree, "empty", 0755);
  symlinkat("file", tree, "link");
  symlinkat("dir", tree, "link_dir");
  symlinkat("dir/", tree, "link_slash");
  symlinkat("none", tree, "dangling");
  symlinkat("loop", tree, "loop");
}

static const char *const PATHS[] = {
  "file", "file/", "file/.", "file/x", "hard", "other", "dir", "dir/", "dir/.", "dir/..", "dir/inner",
  "dir/inner/", "dir/inner/x", "dir/sub", "dir/sub/new", "empty", "empty/", "empty/new", "link", "link/",
  "link_dir", "link_dir/", "link_dir/.", "link_dir/inner", "link_dir/..", "link_slash", "link_slash/inner",
  "dangling", "dangling/", "dangling/x", "loop", "loop/", "loop/x", "none", "none/", "none/.", "none/x",
  "none/..", "dir//inner", "dir/../file", ".", "./", "",
};
#define PATHS_COUNT (sizeof PATHS / sizeof *PATHS)

// What is at a path now: nothing, a file with its size and links, a directory, or a link.
static inline void say_kind(const char *path) {
  struct stat st;
  if (fstatat(tree, path, &st, AT_SYMLINK_NOFOLLOW) != 0) say(error_name(errno));
  else if (S_ISDIR(st.st_mode)) { say("dir:"); say_number(st.st_nlink); }
  else if (S_ISLNK(st.st_mode)) { say("link:"); say_number(st.st_size); }
  else { say("file:"); say_number(st.st_size); say(":"); say_number(st.st_nlink); }
}

static inline void say_outcome(int result) { say(result == -1 ? error_name(errno) : "ok"); }

// Tries a call on every path, each time with a new tree, and says what is there then.
static inline void try_paths(const char *what, int (*call)(const char *path)) {
  for (size_t i = 0; i < PATHS_COUNT; i++) {
    make_tree();
    say(what); say(" \""); say(PATHS[i]); say("\": ");
    say_outcome(call(PATHS[i]));
    say(", then ");
    say_kind(PATHS[i]);
    say("\n");
  }
}

// The same for calls with two paths.
static inline void try_pairs(const char *what, int (*call)(const char *from, const char *to)) {
  for (size_t i = 0; i < PATHS_COUNT; i++) {
    for (size_t j = 0; j < PATHS_COUNT; j++) {
      make_tree();
      say(what); say(" \""); say(PATHS[i]); say("\" \""); say(PATHS[j]); say("\": ");
      int result = call(PATHS[i], PATHS[j]);
      say_outcome(result);
      if (result == 0) {
        say(", then ");
        say_kind(PATHS[i]);
        say(" ");
        say_kind(PATHS[j]);
      }
      say("\n");
    }
  }
}
