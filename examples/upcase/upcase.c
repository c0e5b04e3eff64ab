// Turns ASCII letters of stdin into capitals, as they arrive.
#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char buffer[65536];
  ssize_t length;
  while ((length = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
    for (ssize_t i = 0; i < length; i++) buffer[i] = (char)toupper((unsigned char)buffer[i]);
    for (ssize_t done = 0; done < length;) {
      ssize_t written = write(STDOUT_FILENO, buffer + done, (size_t)(length - done));
      if (written < 0) return perror("upcase: cannot write"), 1;
      done += written;
    }
  }
  if (length < 0) return perror("upcase: cannot read"), 1;
  return 0;
}
