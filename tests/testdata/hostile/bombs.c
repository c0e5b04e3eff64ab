// Takes all it can get, in the way its first argument names; ends with 0 when it was held back as it should be.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

static char block[65536];

/** Whether what just failed, failed for want of room. */
static int refused(void) { return errno == ENOSPC || errno == EMFILE ? 0 : 1; }

static int grow(void) {
  size_t page;
  while ((page = __builtin_wasm_memory_grow(0, 1)) != (size_t)-1) {
    *(volatile char *)(page * 65536) = 1;
  }
  abort();
}

__attribute__((noinline)) static int recurse(volatile int *depth) {
  volatile int frame[16] = {*depth + 1};
  return recurse(frame) + frame[3];
}

static int output(int fd) {
  memset(block, 'x', sizeof block);
  for (;;) write(fd, block, sizeof block);
}

static int sparse(void) {
  // Holes cost nothing, so they may be large; what is written into them counts.
  int fd = open("holes", O_CREAT | O_RDWR, 0644);
  for (off_t at = 0;; at += 1 << 20) {
    if (pwrite(fd, "x", 1, at) != 1) return errno == EFBIG ? 0 : refused();
  }
}

static int file(void) {
  int fd = open("large", O_CREAT | O_RDWR, 0644);
  while (write(fd, block, sizeof block) > 0) {
  }
  return refused();
}

static int files(void) {
  char name[32];
  for (int i = 0;; i++) {
    sprintf(name, "f%d", i);
    int fd = open(name, O_CREAT | O_RDWR, 0644);
    if (fd < 0) return refused();
    close(fd);
  }
}

static int small(void) {
  // Each costs more than its one byte.
  char name[32];
  for (int i = 0;; i++) {
    sprintf(name, "s%d", i);
    int fd = open(name, O_CREAT | O_RDWR, 0644);
    if (fd < 0) return refused();
    if (write(fd, "x", 1) != 1) return refused();
    close(fd);
  }
}

static int unlinked(void) {
  // Files without a name live as long as their descriptors.
  for (;;) {
    int fd = open("gone", O_CREAT | O_RDWR, 0644);
    if (fd < 0) return refused();
    for (int i = 0; i < 16; i++) {
      if (write(fd, block, sizeof block) < 0) return refused();
    }
    unlink("gone");
  }
}

static int nest(void) {
  int fd = open(".", O_RDONLY | O_DIRECTORY);
  for (;;) {
    if (mkdirat(fd, "deeper", 0755) < 0) return refused();
    int next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY);
    if (next < 0) return refused();
    close(fd);
    fd = next;
  }
}

static int links(void) {
  char name[32];
  memset(block, 'y', 4000);
  block[4000] = 0;
  for (int i = 0;; i++) {
    sprintf(name, "l%d", i);
    if (symlink(block, name) < 0) return refused();
  }
}

static int maze(void) {
  // Each link leads twice through the next one: 2 to the power of 30 steps, were there no limit.
  char name[16], target[64];
  mkdir("d", 0755);
  for (int i = 0; i < 30; i++) {
    sprintf(name, "m%d", i);
    sprintf(target, "m%d/../m%d", i + 1, i + 1);
    symlink(target, name);
  }
  symlink("d", "m30");
  for (int i = 0; i < 1000; i++) {
    if (open("m0", O_RDONLY) >= 0 || errno != ELOOP) return 1;
  }
  return 0;
}

static int walks(void) {
  // Each of 40 links leads through as many names as a path may have, to the next one.
  static char target[4096];
  char name[16];
  mkdir("a", 0755);
  for (int i = 0; i < 40; i++) {
    target[0] = 0;
    while (strlen(target) < 4080) strcat(target, "a/../");
    sprintf(target + strlen(target), i < 39 ? "w%d" : "a", i + 1);
    sprintf(name, "w%d", i);
    if (symlink(target, name)) return 1;
  }
  struct stat st;
  while (stat("w0", &st) == 0) {
  }
  return 1;
}

static int escape(void) {
  static const char *paths[] = {"..",          "../x",       "/..",      "/../etc/passwd", "a/../../x", "a/b/../../../x",
                                "up",          "up/x",       "up/../..", "a/up/x",         "a/up/../x", "./../x",
                                "a/./../../x", "a//../..//", "a/b/up",   "a/b/up/x"};
  mkdir("a", 0755);
  mkdir("a/b", 0755);
  symlink("..", "up");
  symlink("../..", "a/up");
  symlink("../../up", "a/b/up");
  if (symlink("/etc", "absolute") == 0) return 1;
  // Through the descriptor, as libc would take the paths apart.
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    __wasi_fd_t fd;
    __wasi_filestat_t st;
    if (__wasi_path_open(3, 1, paths[i], 0, 0, 0, 0, &fd) != __WASI_ERRNO_NOTCAPABLE) return 2;
    if (__wasi_path_open(3, 1, paths[i], __WASI_OFLAGS_CREAT, 0, 0, 0, &fd) != __WASI_ERRNO_NOTCAPABLE) return 3;
    if (__wasi_path_filestat_get(3, 1, paths[i], &st) != __WASI_ERRNO_NOTCAPABLE) return 4;
    if (__wasi_path_rename(3, "a", 3, paths[i]) == 0 || __wasi_path_link(3, 1, paths[i], 3, "hard") == 0) return 5;
  }
  return 0;
}

// The functions as they are imported, so that pointers may be any numbers.
#define RAW(name, ...)                                                              \
  __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) int raw_##name(__VA_ARGS__);
typedef unsigned p;
typedef unsigned long long q;
RAW(args_get, p, p) RAW(args_sizes_get, p, p) RAW(environ_sizes_get, p, p)
RAW(clock_res_get, int, p) RAW(clock_time_get, int, q, p) RAW(fd_fdstat_get, int, p) RAW(fd_filestat_get, int, p)
RAW(fd_pread, int, p, p, q, p) RAW(fd_pwrite, int, p, p, q, p) RAW(fd_read, int, p, p, p) RAW(fd_write, int, p, p, p)
RAW(fd_prestat_get, int, p) RAW(fd_prestat_dir_name, int, p, p) RAW(fd_readdir, int, p, p, q, p)
RAW(fd_seek, int, q, int, p) RAW(fd_tell, int, p) RAW(path_create_directory, int, p, p)
RAW(path_filestat_get, int, int, p, p, p) RAW(path_filestat_set_times, int, int, p, p, q, q, int)
RAW(path_link, int, int, p, p, int, p, p) RAW(path_open, int, int, p, p, int, q, q, int, p)
RAW(path_readlink, int, p, p, p, p, p) RAW(path_remove_directory, int, p, p) RAW(path_rename, int, p, p, int, p, p)
RAW(path_symlink, p, p, int, p, p) RAW(path_unlink_file, int, p, p) RAW(poll_oneoff, p, p, p, p)
RAW(random_get, p, p) RAW(sock_accept, int, int, p) RAW(sock_recv, int, p, p, int, p, p)
RAW(sock_send, int, p, p, int, p)

/** How many took a pointer that leads nowhere, of all functions that must use it: an empty environment needs none. */
static int taken(p at, int file) {
  return !raw_args_get(at, at) + !raw_args_sizes_get(at, at) + !raw_environ_sizes_get(at, at) +
         !raw_clock_res_get(0, at) + !raw_clock_time_get(0, 0, at) +
         !raw_fd_fdstat_get(3, at) + !raw_fd_filestat_get(3, at) + !raw_fd_pread(file, at, 1, 0, at) +
         !raw_fd_pwrite(file, at, 1, 0, at) + !raw_fd_read(0, at, 1, at) + !raw_fd_read(file, at, 1, at) +
         !raw_fd_write(1, at, 1, at) + !raw_fd_write(file, at, 1, at) + !raw_fd_prestat_get(3, at) +
         !raw_fd_prestat_dir_name(3, at, 9) + !raw_fd_readdir(3, at, 9, 0, at) + !raw_fd_seek(file, 0, 0, at) +
         !raw_fd_tell(file, at) + !raw_path_create_directory(3, at, 9) + !raw_path_filestat_get(3, 1, at, 9, at) +
         !raw_path_filestat_set_times(3, 1, at, 9, 0, 0, 0) + !raw_path_link(3, 1, at, 9, 3, at, 9) +
         !raw_path_open(3, 1, at, 9, 1, 0, 0, 0, at) + !raw_path_readlink(3, at, 9, at, 9, at) +
         !raw_path_remove_directory(3, at, 9) + !raw_path_rename(3, at, 9, 3, at, 9) +
         !raw_path_symlink(at, 9, 3, at, 9) + !raw_path_unlink_file(3, at, 9) + !raw_poll_oneoff(at, at, 1, at) +
         !raw_random_get(at, 9) + !raw_sock_accept(3, 0, at) + !raw_sock_recv(3, at, 1, 0, at, at) +
         !raw_sock_send(3, at, 1, 0, at);
}

static int pointers(void) {
  int file = open("pointers", O_CREAT | O_RDWR, 0644);
  p end = __builtin_wasm_memory_size(0) * 65536;
  const p ats[] = {end, end + 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8};
  for (size_t i = 0; i < sizeof ats / sizeof *ats; i++) {
    if (taken(ats[i], file)) return 1;
  }
  // A path as long as all memory, and random bytes everywhere but where we are.
  if (raw_path_open(3, 1, 0, end, 1, 0, 0, 0, 0) != __WASI_ERRNO_NAMETOOLONG) return 2;
  p more = __builtin_wasm_memory_grow(0, 256) * 65536;
  return raw_random_get(more, 256 * 65536) == 0 && raw_random_get(more, 256 * 65536 + 1) != 0 ? 0 : 3;
}

static int descriptors(void) {
  while (open(".", O_RDONLY | O_DIRECTORY) >= 0) {
  }
  return refused();
}

static int polls(void) {
  static __wasi_subscription_t in[4096];
  static __wasi_event_t out[4096];
  __wasi_size_t got;
  for (int i = 0; i < 4096; i++) in[i].u.tag = __WASI_EVENTTYPE_FD_READ;
  for (;;) {
    if (__wasi_poll_oneoff(in, out, 4096, &got)) return 1;
  }
}

static int listings(void) {
  char name[32];
  for (int i = 0; i < 5000; i++) {
    sprintf(name, "n%d", i);
    close(open(name, O_CREAT | O_RDWR, 0644));
  }
  for (;;) {
    DIR *directory = opendir(".");
    while (readdir(directory)) {
    }
    closedir(directory);
    unlink("n0");
    close(open("n0", O_CREAT | O_RDWR, 0644));
  }
}

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  int depth = 0;
  if (!strcmp(how, "grow")) return grow();
  if (!strcmp(how, "recurse")) return recurse(&depth);
  if (!strcmp(how, "loop")) for (volatile int i = 0;; i++) {}
  if (!strcmp(how, "sleep")) for (;;) sleep(1000000);
  if (!strcmp(how, "stdout")) return output(1);
  if (!strcmp(how, "stderr")) return output(2);
  if (!strcmp(how, "sparse")) return sparse();
  if (!strcmp(how, "file")) return file();
  if (!strcmp(how, "files")) return files();
  if (!strcmp(how, "small")) return small();
  if (!strcmp(how, "unlinked")) return unlinked();
  if (!strcmp(how, "nest")) return nest();
  if (!strcmp(how, "links")) return links();
  if (!strcmp(how, "maze")) return maze();
  if (!strcmp(how, "walks")) return walks();
  if (!strcmp(how, "escape")) return escape();
  if (!strcmp(how, "pointers")) return pointers();
  if (!strcmp(how, "descriptors")) return descriptors();
  if (!strcmp(how, "polls")) return polls();
  if (!strcmp(how, "listings")) return listings();
  return 64;
}
