// Prints all it can see of its world, then leaves as many traces in it as it can. Built by build.sh.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

#define PAGE 65536
#define GROWN_PAGES 64
static int global = 1;
extern char **environ;

static void show_file(const char *path) {
  char line[100];
  FILE *file = fopen(path, "r");
  while (file && fgets(line, sizeof line, file)) printf(" [%s]", line);
  if (file) fclose(file);
}

static void show_directory(const char *path) {
  char name[300];
  DIR *directory = opendir(path);
  for (struct dirent *entry; (entry = readdir(directory));) {
    struct stat st;
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    if (lstat(name, &st)) continue;
    printf("%s ino %llu nlink %llu size %lld mtime %lld", name, (unsigned long long)st.st_ino,
           (unsigned long long)st.st_nlink, (long long)st.st_size, (long long)st.st_mtime);
    if (S_ISREG(st.st_mode)) show_file(name);
    puts("");
  }
  closedir(directory);
}

static void show_descriptors(void) {
  for (int fd = 0; fd < 100; fd++) {
    __wasi_fdstat_t stat;
    if (__wasi_fd_fdstat_get(fd, &stat)) continue;
    printf("descriptor %d type %d flags %d rights %llx\n", fd, stat.fs_filetype, stat.fs_flags,
           (unsigned long long)stat.fs_rights_base);
  }
}

static void show_memory(void) {
  size_t from = __builtin_wasm_memory_grow(0, GROWN_PAGES);
  long dirty = 0;
  for (char *at = (char *)(from * PAGE); at < (char *)((from + GROWN_PAGES) * PAGE); at++) dirty += *at != 0;
  printf("global %d, memory of %zu pages, then %ld bytes not zero\n", global, from, dirty);
  memset((char *)(from * PAGE), 's', GROWN_PAGES * PAGE);
}

static void show_clock(void) {
  unsigned char random[8];
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  getentropy(random, sizeof random);
  printf("at %lld.%09ld, random", (long long)now.tv_sec, now.tv_nsec);
  for (size_t i = 0; i < sizeof random; i++) printf(" %02x", random[i]);
  puts("");
}

static void leave_traces(void) {
  char name[100];
  global = 2;
  for (int i = 0; i < 20; i++) {
    snprintf(name, sizeof name, "%s/trace%d", i % 2 ? "zipped" : ".", i);
    dprintf(open(name, O_CREAT | O_WRONLY | O_APPEND, 0644), "trace %d", i);
  }
  dprintf(open("zipped/file", O_WRONLY | O_TRUNC), "other");
  rename("zipped/dir/inner", "zipped/moved");
  rmdir("zipped/dir");
  symlink("file", "zipped/link");
  link("zipped/file", "zipped/hard");
  struct timespec times[2] = {{7, 0}, {7, 0}};
  utimensat(AT_FDCWD, "zipped", times, 0);
  fcntl(0, F_SETFL, O_NONBLOCK);
  fcntl(1, F_SETFL, O_APPEND);
  (void)__wasi_fd_fdstat_set_rights(4, 0, 0);
  (void)__wasi_fd_renumber(3, 2);
}

int main(int argc, char **argv) {
  for (int i = 0; i < argc; i++) printf("argument %s\n", argv[i]);
  for (char **at = environ; *at; at++) printf("environment %s\n", *at);
  show_descriptors();
  show_memory();
  show_directory(".");
  show_directory("zipped");
  show_clock();
  char input[10] = "";
  printf("input of %zd", read(0, input, 4));
  printf(" [%s]\n", input);
  fflush(stdout);
  leave_traces();
  if (argc > 2) abort();
  return 0;
}
