// Counts the words of stdin and prints the most frequent ones: words [--top N] [--min LETTERS]
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORD 64 /* longer words are cut, so that no input can make one word fill the memory */

struct entry {
  char *word;
  uint64_t count;
};

static struct entry *table;
static size_t capacity = 1024, used;

static struct entry *slot_of(struct entry *entries, size_t size, const char *word) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (const char *c = word; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
  size_t i = hash & (size - 1);
  while (entries[i].word && strcmp(entries[i].word, word) != 0) i = (i + 1) & (size - 1);
  return &entries[i];
}

static void *checked(void *memory) {
  if (memory) return memory;
  fprintf(stderr, "words: out of memory after %zu different words\n", used);
  exit(1);
}

static void grow(void) {
  struct entry *bigger = checked(calloc(capacity * 2, sizeof *bigger));
  for (size_t i = 0; i < capacity; i++) {
    if (table[i].word) *slot_of(bigger, capacity * 2, table[i].word) = table[i];
  }
  free(table);
  table = bigger;
  capacity *= 2;
}

static void count(const char *word) {
  struct entry *entry = slot_of(table, capacity, word);
  if (!entry->word) {
    if (++used * 2 > capacity) {
      grow();
      entry = slot_of(table, capacity, word);
    }
    entry->word = checked(strdup(word));
  }
  entry->count++;
}

static int by_count(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  if (a->count != b->count) return a->count < b->count ? 1 : -1;
  if (!a->word || !b->word) return !a->word - !b->word;
  return strcmp(a->word, b->word);
}

static size_t number(const char *text) {
  char *end;
  long value = text ? strtol(text, &end, 10) : -1;
  if (value < 1 || *end) {
    fprintf(stderr, "usage: words [--top N] [--min LETTERS] < text\n");
    exit(2);
  }
  return (size_t)value;
}

int main(int argc, char **argv) {
  size_t top = 10, shortest = 1, length = 0;
  for (int i = 1; i < argc; i += 2) {
    if (strcmp(argv[i], "--top") == 0) top = number(argv[i + 1]);
    else if (strcmp(argv[i], "--min") == 0) shortest = number(argv[i + 1]);
    else number(NULL);
  }
  table = checked(calloc(capacity, sizeof *table));
  char word[MAX_WORD + 1];
  for (int c = 0; c != EOF;) {
    c = getchar();
    /* bytes of UTF-8 beyond ASCII count as letters */
    if (c != EOF && (isalnum(c) || c >= 0x80 || (c == '\'' && length > 0))) {
      if (length < MAX_WORD) word[length++] = (char)tolower(c);
      continue;
    }
    while (length > 0 && word[length - 1] == '\'') length--;
    word[length] = 0;
    if (length >= shortest) count(word);
    length = 0;
  }
  qsort(table, capacity, sizeof *table, by_count);
  for (size_t i = 0; i < top && i < used; i++) printf("%8llu %s\n", (unsigned long long)table[i].count, table[i].word);
  return ferror(stdin) ? 1 : 0;
}
