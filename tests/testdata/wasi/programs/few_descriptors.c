// wasi only
// limit: descriptors 8
// As many descriptors as the run allows, the first three and the preopen among them; then it is EMFILE.
#include "program.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void) {
  struct stat st;
  for (int fd = 4; fd < 8; fd++) CHECK(open("file", O_CREAT | O_RDWR, 0644) == fd);
  FAILS(open("file", O_RDONLY), EMFILE);
  FAILS(open(".", O_RDONLY), EMFILE);
  // Nothing is made or cut when there is no number for it.
  CHECK(write(7, "contents", 8) == 8);
  FAILS(open("new", O_CREAT | O_WRONLY, 0644), EMFILE);
  FAILS(open("file", O_WRONLY | O_TRUNC), EMFILE);
  FAILS(stat("new", &st), ENOENT);
  CHECK(stat("file", &st) == 0 && st.st_size == 8);
  FAILS(open("none", O_RDONLY), EMFILE);
  CHECK(close(5) == 0 && open("file", O_RDONLY) == 5);
  CHECK(close(0) == 0 && open("file", O_RDONLY) == 0);
  FAILS(open("file", O_RDONLY), EMFILE);
  say("ok\n");
}
