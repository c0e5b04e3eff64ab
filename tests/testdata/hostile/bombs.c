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
  if (!strcmp(how, "unlinked")) return unlinked();
  if (!strcmp(how, "nest")) return nest();
  if (!strcmp(how, "links")) return links();
  if (!strcmp(how, "maze")) return maze();
  if (!strcmp(how, "descriptors")) return descriptors();
  if (!strcmp(how, "polls")) return polls();
  if (!strcmp(how, "listings")) return listings();
  return 64;
}
