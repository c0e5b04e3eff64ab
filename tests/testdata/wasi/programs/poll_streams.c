// stdin: some input
// poll() and select() on streams and files.
#include "program.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>

static void say_events(const char *what, int count, struct pollfd *fds, int length) {
  say_result(what, count, errno);
  for (int i = 0; i < length; i++) {
    say(fds[i].revents & POLLIN ? "  in" : "  -");
    say(fds[i].revents & POLLOUT ? " out" : " -");
    say(fds[i].revents & POLLNVAL ? " invalid\n" : " -\n");
  }
}

#define SAY_POLL(fds, length, timeout) (say_value = poll(fds, length, timeout), say_events(#fds ", " #timeout, say_value, fds, length))

int main(void) {
  struct pollfd both[] = {{0, POLLIN, 0}, {1, POLLOUT, 0}};
  SAY_POLL(both, 2, -1);
  SAY_POLL(both, 2, 0);
  SAY_POLL(both, 2, 1000);
  struct pollfd unknown[] = {{99, POLLIN, 0}, {1, POLLOUT, 0}};
  SAY_POLL(unknown, 2, 1000);
  struct pollfd ignored[] = {{-1, POLLIN, 0}, {1, POLLOUT, 0}};
  SAY_POLL(ignored, 2, 1000);

  int fd = open("file", O_CREAT | O_RDWR, 0644);
  struct pollfd file[] = {{fd, POLLIN | POLLOUT, 0}};
  SAY_POLL(file, 1, 1000);
  CHECK(write(fd, "abc", 3) == 3);
  SAY_POLL(file, 1, -1);

  char buffer[64];
  while (read(0, buffer, sizeof buffer) > 0) {}
  struct pollfd ended = {0, POLLIN, 0};
  SAY(poll(&ended, 1, -1));
  SAY((ended.revents & POLLHUP) != 0);

  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(0, &readable);
  FD_SET(1, &writable);
  SAY(select(2, &readable, &writable, NULL, NULL));
  SAY(FD_ISSET(0, &readable) && FD_ISSET(1, &writable));
  struct timeval pause = {0, 20000};
  SAY(select(0, NULL, NULL, NULL, &pause));
}
