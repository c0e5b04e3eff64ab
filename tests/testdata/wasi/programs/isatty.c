// wasi only
// The standard streams are terminals here, so that programs write whole lines; nothing else is.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void) {
  for (int fd = 0; fd < 3; fd++) {
    CHECK(isatty(fd) == 1);
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    CHECK(S_ISCHR(status.st_mode));
    CHECK(status.st_size == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == -1 && errno == ESPIPE);
  }
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  CHECK(isatty(fd) == 0 && errno == ENOTTY);
  CHECK(isatty(3) == 0 && errno == ENOTTY);
  CHECK(isatty(99) == 0 && errno == EBADF);
  say("ok\n");
}
