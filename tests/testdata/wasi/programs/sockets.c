// No descriptor is a socket.
#include "program.h"
#include <fcntl.h>
#include <sys/socket.h>

int main(void) {
  char byte;
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  int fds[] = {0, 1, 2, fd, 99, -1};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
    int each = fds[i];
    SAY(shutdown(each, SHUT_RD));
    SAY(shutdown(each, SHUT_RDWR));
    SAY(recv(each, &byte, 1, 0));
    SAY(recv(each, &byte, 1, MSG_PEEK));
    SAY(send(each, &byte, 1, 0));
    SAY(accept(each, NULL, NULL));
  }
}
