// wasi only
// No arguments but the name, and no environment.
#include "program.h"
#include <wasi/api.h>

int main(int argc, char **argv) {
  __wasi_size_t count = 77, bytes = 77;
  WASI(__wasi_args_sizes_get(&count, &bytes), 0);
  CHECK(count == 1 && bytes == sizeof "args_none");
  CHECK(argc == 1 && strcmp(argv[0], "args_none") == 0);
  WASI(__wasi_environ_sizes_get(&count, &bytes), 0);
  CHECK(count == 0 && bytes == 0);
  uint8_t *list[1] = {(uint8_t *)main}, buffer[1] = {77};
  WASI(__wasi_environ_get(list, buffer), 0);
  CHECK(list[0] == (uint8_t *)main && buffer[0] == 77);
  CHECK(getenv("PATH") == NULL);
  say("ok\n");
}
