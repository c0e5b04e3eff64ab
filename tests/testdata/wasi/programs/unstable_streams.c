// args: one two
// env: KEY=value
// stdin: input
// wasi only
// The functions of wasi_unstable that are not about files, called by that name.
#include "program.h"
#include <stdint.h>

#define UNSTABLE(name) __attribute__((import_module("wasi_unstable"), import_name(#name)))
int32_t old_args_sizes_get(uint32_t *, uint32_t *) UNSTABLE(args_sizes_get);
int32_t old_args_get(char **, char *) UNSTABLE(args_get);
int32_t old_environ_sizes_get(uint32_t *, uint32_t *) UNSTABLE(environ_sizes_get);
int32_t old_environ_get(char **, char *) UNSTABLE(environ_get);
int32_t old_clock_res_get(uint32_t, uint64_t *) UNSTABLE(clock_res_get);
int32_t old_clock_time_get(uint32_t, uint64_t, uint64_t *) UNSTABLE(clock_time_get);
int32_t old_random_get(void *, uint32_t) UNSTABLE(random_get);
int32_t old_sched_yield(void) UNSTABLE(sched_yield);
int32_t old_poll_oneoff(const void *, void *, uint32_t, uint32_t *) UNSTABLE(poll_oneoff);
int32_t old_fd_read(int32_t, const void *, uint32_t, uint32_t *) UNSTABLE(fd_read);
int32_t old_fd_write(int32_t, const void *, uint32_t, uint32_t *) UNSTABLE(fd_write);
int32_t old_fd_filestat_get(int32_t, void *) UNSTABLE(fd_filestat_get);
int32_t old_sock_recv(int32_t, const void *, uint32_t, uint32_t, uint32_t *, uint32_t *) UNSTABLE(sock_recv);
int32_t old_sock_send(int32_t, const void *, uint32_t, uint32_t, uint32_t *) UNSTABLE(sock_send);
int32_t old_sock_shutdown(int32_t, uint32_t) UNSTABLE(sock_shutdown);
int32_t old_proc_raise(uint32_t) UNSTABLE(proc_raise);
_Noreturn void old_proc_exit(uint32_t) UNSTABLE(proc_exit);

// A subscription has an identifier before the clock.
struct subscription {
  uint64_t userdata;
  uint8_t type;
  union {
    struct { uint64_t identifier; uint32_t id; uint64_t timeout, precision; uint16_t flags; } clock;
    uint32_t fd;
  };
};
struct event { uint64_t userdata; uint16_t error; uint8_t type; uint64_t bytes; uint16_t flags; };
struct piece { void *bytes; uint32_t length; };

int main(void) {
  uint32_t count, bytes;
  char *list[4], buffer[100];
  WASI(old_args_sizes_get(&count, &bytes), 0);
  CHECK(count == 3 && bytes == sizeof "unstable_streams" + 8);
  WASI(old_args_get(list, buffer), 0);
  CHECK(strcmp(list[2], "two") == 0);
  WASI(old_environ_sizes_get(&count, &bytes), 0);
  CHECK(count == 1 && bytes == sizeof "KEY=value");
  WASI(old_environ_get(list, buffer), 0);
  CHECK(strcmp(list[0], "KEY=value") == 0);

  uint64_t time, later;
  WASI(old_clock_res_get(1, &time), 0);
  CHECK(time > 0);
  WASI(old_clock_time_get(1, 0, &time), 0);
  WASI(old_clock_time_get(9, 0, &time), EINVAL);
  WASI(old_random_get(buffer, 8), 0);
  WASI(old_sched_yield(), 0);

  CHECK(sizeof(struct subscription) == 56 && sizeof(struct event) == 32);
  struct subscription wishes[3] = {
    {.userdata = 1, .type = 0, .clock = {.identifier = 9, .id = 1, .timeout = 15000000}},
    {.userdata = 2, .type = 0, .clock = {.id = 0, .timeout = 5000000000}},
    {.userdata = 3, .type = 2, .fd = 99},
  };
  struct event events[3];
  WASI(old_poll_oneoff(wishes, events, 2, &count), 0);
  CHECK(count == 1 && events[0].userdata == 1 && events[0].error == 0 && events[0].type == 0);
  WASI(old_clock_time_get(1, 0, &later), 0);
  CHECK(later - time >= 15000000);
  WASI(old_poll_oneoff(wishes, events, 3, &count), 0);
  CHECK(count == 1 && events[0].userdata == 3 && events[0].error == EBADF && events[0].type == 2);
  wishes[0] = (struct subscription){.userdata = 4, .type = 1, .fd = 0};
  WASI(old_poll_oneoff(wishes, events, 2, &count), 0);
  CHECK(count == 1 && events[0].userdata == 4 && events[0].bytes > 0 && events[0].flags == 0);
  WASI(old_poll_oneoff(wishes, events, 0, &count), EINVAL);

  struct piece into = {buffer, sizeof buffer};
  WASI(old_fd_read(0, &into, 1, &count), 0);
  CHECK(count == 6 && memcmp(buffer, "input\n", 6) == 0);
  WASI(old_fd_read(1, &into, 1, &count), EBADF);
  // A stat has 56 bytes; what is behind it stays.
  memset(buffer, 0x55, sizeof buffer);
  WASI(old_fd_filestat_get(1, buffer), 0);
  CHECK(buffer[16] == 2 && buffer[55] == 0 && buffer[56] == 0x55);
  WASI(old_sock_recv(0, &into, 1, 0, &count, &bytes), ENOTSOCK);
  WASI(old_sock_send(1, &into, 1, 0, &count), ENOTSOCK);
  WASI(old_sock_shutdown(2, 1), ENOTSOCK);
  WASI(old_sock_shutdown(77, 1), EBADF);
  WASI(old_proc_raise(0), 0);
  struct piece ok = {"ok\n", 3};
  WASI(old_fd_write(1, &ok, 1, &count), 0);
  CHECK(count == 3);
  old_proc_exit(0);
}
