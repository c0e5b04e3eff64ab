// Sleeping takes as long as asked for, and not much longer; clocks go forward.
#include "program.h"
#include <sched.h>
#include <time.h>

static long long now(clockid_t clock) {
  struct timespec t;
  CHECK(clock_gettime(clock, &t) == 0);
  CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

#define MS 1000000LL

static void slept(const char *what, long long asked, long long before) {
  long long took = now(CLOCK_MONOTONIC) - before;
  say(what);
  say(took < asked ? ": woke early\n" : took > asked + 3000 * MS ? ": woke late\n" : ": on time\n");
}

int main(void) {
  // 2020 to 2100.
  CHECK(now(CLOCK_REALTIME) > 1577836800000 * MS && now(CLOCK_REALTIME) < 4102444800000 * MS);
  long long last = now(CLOCK_MONOTONIC);
  for (int i = 0; i < 1000; i++) {
    long long next = now(CLOCK_MONOTONIC);
    CHECK(next >= last);
    last = next;
  }
  struct timespec resolution;
  SAY(clock_getres(CLOCK_REALTIME, &resolution));
  CHECK(resolution.tv_sec == 0 && resolution.tv_nsec > 0 && resolution.tv_nsec <= 1000000);
  SAY(clock_getres(CLOCK_MONOTONIC, &resolution));
  CHECK(resolution.tv_sec == 0 && resolution.tv_nsec > 0 && resolution.tv_nsec <= 1000000);

  for (int ms = 0; ms <= 40; ms += 20) {
    struct timespec pause = {0, ms * MS};
    long long before = now(CLOCK_MONOTONIC);
    SAY(nanosleep(&pause, NULL));
    slept("nanosleep", ms * MS, before);
  }
  struct timespec tiny = {0, 1};
  long long before = now(CLOCK_MONOTONIC);
  SAY(nanosleep(&tiny, NULL));
  slept("one nanosecond", 1, before);
  before = now(CLOCK_MONOTONIC);
  SAY(usleep(1500));
  slept("usleep", 1500000, before);
  SAY(sleep(0));

  before = now(CLOCK_MONOTONIC);
  struct timespec until = {(before + 30 * MS) / 1000000000, (before + 30 * MS) % 1000000000};
  SAY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
  slept("until", 30 * MS, before);
  SAY(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
  slept("until a time that has passed", 30 * MS, before);
  long long wall = now(CLOCK_REALTIME) + 20 * MS;
  before = now(CLOCK_MONOTONIC);
  until = (struct timespec){wall / 1000000000, wall % 1000000000};
  SAY(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
  slept("until on the wall", 19 * MS, before);

  struct timespec wrong = {0, 1000000000};
  SAY(nanosleep(&wrong, NULL));
  SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL) == EINVAL);
  SAY(sched_yield());
}
