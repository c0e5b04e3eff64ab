// wasi only
// limit: disk 1000000
// limit: inodes 20
// preopen: data
// preopen: sealed read-only
// A full disk: as much as fits is written, then it is ENOSPC, and what is removed makes room again.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static char block[400000];

static long long size(int fd) {
  struct stat st;
  fstat(fd, &st);
  return st.st_size;
}

int main(void) {
  memset(block, 'b', sizeof block);
  int fd = open("one", O_CREAT | O_RDWR, 0644);
  CHECK(write(fd, block, 400000) == 400000);
  // Less than asked for, and no error while anything fits.
  struct iovec pieces[2] = {{block, 400000}, {block, 400000}};
  ssize_t wrote = writev(fd, pieces, 2);
  CHECK(wrote >= 300000 && wrote < 800000);
  CHECK(size(fd) == 400000 + wrote && lseek(fd, 0, SEEK_CUR) == 400000 + wrote);
  CHECK(pread(fd, block, 1, 400000 + wrote - 1) == 1 && block[0] == 'b');
  // To the last byte.
  while ((wrote = write(fd, block, 1000)) > 0);
  CHECK(wrote == -1 && errno == ENOSPC);
  while ((wrote = write(fd, block, 1)) > 0);
  CHECK(wrote == -1 && errno == ENOSPC);
  long long full = size(fd);
  CHECK(full == 1000000);
  // The preopens share it.
  int other = open("data/new", O_CREAT | O_WRONLY, 0644);
  FAILS(write(other, "x", 1), ENOSPC);
  FAILS(symlink("target", "data/soft"), ENOSPC);
  CHECK(size(other) == 0 && write(other, "", 0) == 0);
  // What is there can be overwritten, and read.
  CHECK(pwrite(fd, "start", 5, 0) == 5 && pread(fd, block, 10, 0) == 10 && !memcmp(block, "startbbbbb", 10));
  CHECK(size(fd) == full);
  CHECK(posix_fallocate(other, 0, 100) == ENOSPC && size(other) == 0);
  // A hole takes nothing.
  CHECK(ftruncate(other, 500000) == 0 && ftruncate(other, 0) == 0);
  // Cut, and given to another.
  CHECK(ftruncate(fd, 262144) == 0 && write(other, block, 400000) == 400000);
  // Allocated space is there when it is written, whoever takes the rest.
  CHECK(ftruncate(other, 0) == 0 && posix_fallocate(other, 0, 500000) == 0 && size(other) == 500000);
  CHECK(posix_fallocate(fd, 0, 600000) == ENOSPC && size(fd) == 262144);
  for (lseek(fd, 0, SEEK_END); write(fd, block, 1000) > 0;);
  CHECK(pwrite(other, block, 400000, 100000) == 400000 && size(other) == 500000);
  // Removed, but only when it is closed too.
  CHECK(unlink("one") == 0);
  FAILS(pwrite(other, block, 400000, 600000), ENOSPC);
  CHECK(close(fd) == 0 && pwrite(other, block, 400000, 500000) == 400000);
  // Names run out as well.
  char name[] = "name-a";
  int made = 0;
  for (; mkdir(name, 0755) == 0; name[5]++) made++;
  CHECK(errno == ENOSPC && made > 5 && made <= 20);
  FAILS(open("new", O_CREAT | O_WRONLY, 0644), ENOSPC);
  FAILS(link("data/file", "data/hard"), ENOSPC);
  FAILS(symlink("x", "data/soft"), ENOSPC);
  // To give one another name takes none.
  CHECK(rename("name-b", "name-c/inner") == 0 && rename("name-c/inner", "moved") == 0);
  CHECK(rename("data/file", "data/dir/file") == 0 && rename("data/dir/file", "data/file") == 0);
  FAILS(mkdir("name-b", 0755), ENOSPC);
  CHECK(rmdir("name-a") == 0 && symlink("x", "data/soft") == 0);
  FAILS(symlink("x", "data/soft2"), ENOSPC);
  // A failed one takes nothing with it.
  for (int i = 0; i < 1000; i++) symlink("a target of some length", "data/soft3");
  CHECK(unlink("data/soft") == 0 && symlink("x", "data/soft3") == 0);
  say("ok\n");
}
