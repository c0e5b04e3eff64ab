// What fcntl(F_GETFL) says of descriptors: how they were opened and with which flags.
#include "program.h"
#include <fcntl.h>

static void flags(const char *what, int fd) {
  int got = fcntl(fd, F_GETFL);
  say(what);
  say(":");
  if (got == -1) { say(" "); say(error_name(errno)); say("\n"); return; }
  int mode = got & O_ACCMODE;
  say(mode == O_RDONLY ? " r" : mode == O_WRONLY ? " w" : mode == O_RDWR ? " rw" : " ?");
  if (got & O_APPEND) say(" append");
  if (got & O_NONBLOCK) say(" nonblock");
  if ((got & O_SYNC) == O_SYNC) say(" sync");
  else if (got & O_DSYNC) say(" dsync");
  say("\n");
}

int main(void) {
  flags("new", open("file", O_CREAT | O_EXCL | O_WRONLY, 0644));
  flags("read", open("file", O_RDONLY));
  flags("write", open("file", O_WRONLY));
  flags("both", open("file", O_RDWR));
  flags("cut", open("file", O_RDWR | O_TRUNC));
  flags("append", open("file", O_WRONLY | O_APPEND));
  flags("nonblock", open("file", O_RDWR | O_NONBLOCK));
  flags("dsync", open("file", O_RDWR | O_DSYNC));
  flags("sync", open("file", O_RDWR | O_SYNC | O_APPEND));
  flags("directory", open(".", O_RDONLY | O_DIRECTORY));
  flags("closed", 99);
}
