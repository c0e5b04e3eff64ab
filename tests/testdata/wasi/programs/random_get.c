// wasi only
// Randomness: none, one byte, and more than the host gives at once.
#include "program.h"
#include <wasi/api.h>

static unsigned char first[3000001], second[3000001];

static int differs(size_t at) { return memcmp(first + at, second + at, 1000) != 0; }

int main(void) {
  first[0] = 77;
  WASI(__wasi_random_get(first, 0), 0);
  CHECK(first[0] == 77);
  // 300 bytes that are all the same would be a chance of 1 to 2^2392.
  for (int i = 0; i < 300; i++) WASI(__wasi_random_get(second + i, 1), 0);
  int same = 1;
  for (int i = 1; i < 300; i++) same += second[i] == second[0];
  CHECK(same < 300);
  // The last byte stays as it is.
  first[sizeof first - 1] = second[sizeof second - 1] = 5;
  WASI(__wasi_random_get(first, sizeof first - 1), 0);
  WASI(__wasi_random_get(second, sizeof second - 1), 0);
  CHECK(first[sizeof first - 1] == 5 && second[sizeof second - 1] == 5);
  for (size_t at = 0; at + 1000 < sizeof first; at += 10000) CHECK(differs(at));
  CHECK(differs(sizeof first - 1002));
  size_t ones = 0;
  for (size_t i = 0; i + 1 < sizeof first; i++) ones += __builtin_popcount(first[i]);
  // Half of 24 million bits, within some twelve standard deviations.
  CHECK(ones > 11970000 && ones < 12030000);
  WASI(__wasi_random_get((void *)0xfffffff0, 16), EFAULT);
  WASI(__wasi_random_get(first, 0xffffffff), EFAULT);
  unsigned char small[256];
  CHECK(getentropy(small, 256) == 0);
  FAILS(getentropy(small, 257), EIO);
  say("ok\n");
}
