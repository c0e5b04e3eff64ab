// args: first-argument "the second" "" größer 日本🦕 "it's" back\slash
// env: PLAIN=value
// env: EMPTY=
// env: TWICE=a=b
// env: größe=日本🦕
// wasi only
// Arguments and environment as the interface gives them: in order, one after the other, each with a zero at its end.
#include "program.h"
#include <wasi/api.h>

static const char *const arguments[] = {"args_get", "first-argument", "the second", "", "größer", "日本🦕", "it's", "back\\slash"};
static const char *const variables[] = {"PLAIN=value", "EMPTY=", "TWICE=a=b", "größe=日本🦕"};

typedef __wasi_errno_t (*sizes_function)(__wasi_size_t *, __wasi_size_t *);
typedef __wasi_errno_t (*list_function)(uint8_t **, uint8_t *);

static void check(sizes_function sizes_get, list_function get, const char *const *expected, size_t length) {
  __wasi_size_t count, bytes;
  WASI(sizes_get(&count, &bytes), 0);
  CHECK(count == length);
  uint8_t **list = calloc(count + 1, sizeof *list);
  uint8_t *buffer = malloc(bytes + 1);
  buffer[bytes] = 77;
  WASI(get(list, buffer), 0);
  uint8_t *next = buffer;
  for (size_t i = 0; i < count; i++) {
    CHECK(list[i] == next);
    CHECK(strcmp((char *)list[i], expected[i]) == 0);
    next += strlen(expected[i]) + 1;
  }
  CHECK(next == buffer + bytes);
  // Nothing behind the buffer or the list is touched.
  CHECK(buffer[bytes] == 77);
  CHECK(list[count] == NULL);
}

int main(void) {
  check(__wasi_args_sizes_get, __wasi_args_get, arguments, 8);
  check(__wasi_environ_sizes_get, __wasi_environ_get, variables, 4);
  CHECK(strcmp(getenv("TWICE"), "a=b") == 0);
  CHECK(getenv("TWIC") == NULL && getenv("") == NULL);
  say("ok\n");
}
