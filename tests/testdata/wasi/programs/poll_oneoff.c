// stdin: input
// wasi only
// poll_oneoff itself: its events, several subscriptions, and what it refuses.
#include "program.h"
#include <fcntl.h>
#include <wasi/api.h>

#define MS 1000000ULL

static __wasi_subscription_t subscriptions[4];
static __wasi_event_t events[5];
static __wasi_size_t count;

static void clock_in(int at, uint32_t id, uint64_t timeout, uint16_t flags) {
  subscriptions[at] = (__wasi_subscription_t){.userdata = 100 + at, .u = {.tag = __WASI_EVENTTYPE_CLOCK}};
  subscriptions[at].u.u.clock = (__wasi_subscription_clock_t){.id = id, .timeout = timeout, .flags = flags};
}

static void stream_in(int at, uint8_t type, int fd) {
  subscriptions[at] = (__wasi_subscription_t){.userdata = 100 + at, .u = {.tag = type}};
  subscriptions[at].u.u.fd_read.file_descriptor = fd;
}

static void poll_all(int length, int expected) {
  memset(events, 0x55, sizeof events);
  WASI(__wasi_poll_oneoff(subscriptions, events, length, &count), 0);
  CHECK((int)count == expected);
  // What is behind the events stays as it is.
  CHECK(events[count].userdata == 0x5555555555555555);
}

static void check_event(int at, int source, int error, uint8_t type) {
  CHECK(events[at].userdata == (__wasi_userdata_t)(100 + source));
  CHECK(events[at].error == error);
  CHECK(events[at].type == type);
}

static uint64_t now(uint32_t id) {
  __wasi_timestamp_t time;
  WASI(__wasi_clock_time_get(id, 1, &time), 0);
  return time;
}

int main(void) {
  WASI(__wasi_poll_oneoff(subscriptions, events, 0, &count), EINVAL);

  uint64_t before = now(1);
  clock_in(0, __WASI_CLOCKID_MONOTONIC, 20 * MS, 0);
  poll_all(1, 1);
  check_event(0, 0, 0, __WASI_EVENTTYPE_CLOCK);
  CHECK(now(1) - before >= 20 * MS);

  // Only the soonest has come; both clocks, relative and absolute.
  clock_in(0, __WASI_CLOCKID_MONOTONIC, 10000 * MS, 0);
  clock_in(1, __WASI_CLOCKID_REALTIME, now(0) + 20 * MS, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
  clock_in(2, __WASI_CLOCKID_REALTIME, 5000 * MS, 0);
  before = now(1);
  poll_all(3, 1);
  check_event(0, 1, 0, __WASI_EVENTTYPE_CLOCK);
  CHECK(now(1) - before >= 19 * MS && now(1) - before < 2000 * MS);

  // A time that has passed, and none at all.
  clock_in(0, __WASI_CLOCKID_MONOTONIC, 1, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
  clock_in(1, __WASI_CLOCKID_REALTIME, 0, 0);
  clock_in(2, __WASI_CLOCKID_REALTIME, -1, 0);
  poll_all(3, 2);
  check_event(0, 0, 0, __WASI_EVENTTYPE_CLOCK);
  check_event(1, 1, 0, __WASI_EVENTTYPE_CLOCK);

  // Streams are ready, in the order they were asked for.
  stream_in(0, __WASI_EVENTTYPE_FD_WRITE, 2);
  clock_in(1, __WASI_CLOCKID_MONOTONIC, 5000 * MS, 0);
  stream_in(2, __WASI_EVENTTYPE_FD_READ, 0);
  stream_in(3, __WASI_EVENTTYPE_FD_WRITE, 1);
  poll_all(4, 3);
  check_event(0, 0, 0, __WASI_EVENTTYPE_FD_WRITE);
  check_event(1, 2, 0, __WASI_EVENTTYPE_FD_READ);
  check_event(2, 3, 0, __WASI_EVENTTYPE_FD_WRITE);
  CHECK(events[1].fd_readwrite.nbytes > 0 && events[1].fd_readwrite.flags == 0);

  // After its end has been read, input says that the other side has gone.
  char buffer[64];
  while (read(0, buffer, sizeof buffer) > 0) {}
  stream_in(0, __WASI_EVENTTYPE_FD_READ, 0);
  poll_all(1, 1);
  check_event(0, 0, 0, __WASI_EVENTTYPE_FD_READ);
  CHECK(events[0].fd_readwrite.nbytes == 0);
  CHECK(events[0].fd_readwrite.flags == __WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP);

  // Files say how much is left.
  int fd = open("file", O_CREAT | O_RDWR, 0644);
  CHECK(write(fd, "0123456789", 10) == 10);
  CHECK(lseek(fd, 3, SEEK_SET) == 3);
  stream_in(0, __WASI_EVENTTYPE_FD_READ, fd);
  stream_in(1, __WASI_EVENTTYPE_FD_WRITE, fd);
  poll_all(2, 2);
  CHECK(events[0].fd_readwrite.nbytes == 7 && events[0].fd_readwrite.flags == 0);
  check_event(1, 1, 0, __WASI_EVENTTYPE_FD_WRITE);
  CHECK(lseek(fd, 0, SEEK_END) == 10);
  poll_all(1, 1);
  check_event(0, 0, 0, __WASI_EVENTTYPE_FD_READ);
  CHECK(events[0].fd_readwrite.nbytes == 0);

  // What is wrong with one is its event, and the others get theirs.
  stream_in(0, __WASI_EVENTTYPE_FD_READ, 99);
  stream_in(1, __WASI_EVENTTYPE_FD_READ, 1);
  stream_in(2, __WASI_EVENTTYPE_FD_WRITE, 0);
  clock_in(3, 77, 0, 0);
  poll_all(4, 4);
  check_event(0, 0, EBADF, __WASI_EVENTTYPE_FD_READ);
  check_event(1, 1, EBADF, __WASI_EVENTTYPE_FD_READ);
  check_event(2, 2, EBADF, __WASI_EVENTTYPE_FD_WRITE);
  check_event(3, 3, EINVAL, __WASI_EVENTTYPE_CLOCK);
  say("ok\n");
}
