// wasi only
// Each clock by its number.
#include "program.h"
#include <wasi/api.h>

int main(void) {
  __wasi_timestamp_t time, later, resolution;
  for (uint32_t id = 0; id < 4; id++) {
    WASI(__wasi_clock_res_get(id, &resolution), 0);
    CHECK(resolution > 0 && resolution <= 1000000);
    WASI(__wasi_clock_time_get(id, 0, &time), 0);
    // The precision is only a wish.
    WASI(__wasi_clock_time_get(id, 1000000000, &later), 0);
    CHECK(later >= time);
  }
  for (uint32_t id = 4; id < 40; id += 7) {
    WASI(__wasi_clock_res_get(id, &resolution), EINVAL);
    WASI(__wasi_clock_time_get(id, 0, &time), EINVAL);
  }
  WASI(__wasi_clock_time_get(-1, 0, &time), EINVAL);

  // CPU time begins with the program, grows while it works, and stands while it sleeps.
  WASI(__wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &time), 0);
  CHECK(time < 60000000000);
  usleep(60000);
  WASI(__wasi_clock_time_get(__WASI_CLOCKID_THREAD_CPUTIME_ID, 1, &later), 0);
  CHECK(later - time < 50000000);
  for (volatile int i = 0; i < 1000000; i++) {}
  WASI(__wasi_clock_time_get(__WASI_CLOCKID_PROCESS_CPUTIME_ID, 1, &time), 0);
  CHECK(time > later);
  say("ok\n");
}
