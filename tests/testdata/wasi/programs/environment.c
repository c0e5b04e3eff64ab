// args: one "two words" "" größer
// env: KEY=value with = in it
// env: EMPTY=
// stdin: first line
// stdin: second
// status: 3
// What this program is given: arguments, environment, input; and the status it ends with.
#include "program.h"

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) say_pair("argument", argv[i]);
  say_pair("KEY", getenv("KEY"));
  say_pair("EMPTY", getenv("EMPTY"));
  say_pair("NONE", getenv("NONE") ? "there" : "not there");
  char buffer[64];
  for (ssize_t got; (got = read(0, buffer, sizeof buffer)) > 0;) say_bytes(buffer, got);
  return 3;
}
