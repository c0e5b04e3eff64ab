// Reads every .csv file of its directory and writes out/summary.csv and out/report.html: report [DIRECTORY]
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_COLUMNS 32
#define MAX_LINE 4096
#define MAX_POINTS 200 /* of a chart; longer columns are drawn from their first values */
#define MAX_FILES 1000

struct column {
  char name[64];
  long count;
  double sum, min, max;
  double points[MAX_POINTS];
};

static struct column columns[MAX_COLUMNS];

static void fail(const char *what, const char *path) {
  fprintf(stderr, "report: cannot %s %s: %s\n", what, path, strerror(errno));
  exit(1);
}

/* Splits a line at its commas, in place. */
static int split(char *line, char **fields) {
  line[strcspn(line, "\r\n")] = 0;
  int count = 0;
  for (char *rest = line; rest && count < MAX_COLUMNS; count++) {
    fields[count] = rest;
    if ((rest = strchr(rest, ','))) *rest++ = 0;
  }
  return count;
}

static void add(struct column *column, const char *field) {
  char *end;
  double value = strtod(field, &end);
  if (end == field || *end) return; /* text and empty fields are not counted */
  if (column->count == 0 || value < column->min) column->min = value;
  if (column->count == 0 || value > column->max) column->max = value;
  if (column->count < MAX_POINTS) column->points[column->count] = value;
  column->sum += value;
  column->count++;
}

static int read_columns(const char *path) {
  FILE *file = fopen(path, "r");
  if (!file) fail("open", path);
  char line[MAX_LINE], *fields[MAX_COLUMNS];
  int count = 0;
  memset(columns, 0, sizeof columns);
  if (fgets(line, sizeof line, file)) {
    count = split(line, fields);
    for (int i = 0; i < count; i++) snprintf(columns[i].name, sizeof columns[i].name, "%s", fields[i]);
  }
  while (fgets(line, sizeof line, file)) {
    int present = split(line, fields);
    for (int i = 0; i < present && i < count; i++) add(&columns[i], fields[i]);
  }
  fclose(file);
  return count;
}

static void escaped(FILE *html, const char *text) {
  for (; *text; text++) {
    if (*text == '<') fputs("&lt;", html);
    else if (*text == '&') fputs("&amp;", html);
    else fputc(*text, html);
  }
}

static void write_column(FILE *csv, FILE *html, const char *file, const struct column *column) {
  double mean = column->sum / (double)column->count;
  fprintf(csv, "%s,%s,%ld,%g,%g,%g\n", file, column->name, column->count, column->min, mean, column->max);
  fputs("<tr><td>", html);
  escaped(html, column->name);
  fprintf(html, "<td>%ld<td>%g<td>%.6g<td>%g<td><svg viewBox='0 0 200 40' width=200 height=40><polyline points='",
          column->count, column->min, mean, column->max);
  long points = column->count < MAX_POINTS ? column->count : MAX_POINTS;
  double range = column->max > column->min ? column->max - column->min : 1;
  for (long i = 0; i < points; i++) {
    double x = points > 1 ? 200.0 * (double)i / (double)(points - 1) : 0;
    fprintf(html, "%.1f,%.1f ", x, 38 - 36 * (column->points[i] - column->min) / range);
  }
  fputs("' fill=none stroke=teal /></svg>\n", html);
}

static int is_csv(const struct dirent *entry) {
  const char *dot = strrchr(entry->d_name, '.');
  return dot && strcmp(dot, ".csv") == 0;
}

int main(int argc, char **argv) {
  const char *directory = argc > 1 ? argv[1] : ".";
  struct dirent **entries;
  int files = scandir(directory, &entries, is_csv, alphasort);
  if (files < 0) fail("read directory", directory);
  if (files == 0 || files > MAX_FILES) {
    fprintf(stderr, "report: %s has %d .csv files, expected 1 to %d\n", directory, files, MAX_FILES);
    return 1;
  }
  char path[1024];
  snprintf(path, sizeof path, "%s/out", directory);
  if (mkdir(path, 0777) != 0 && errno != EEXIST) fail("create", path);
  snprintf(path, sizeof path, "%s/out/summary.csv", directory);
  FILE *csv = fopen(path, "w");
  if (!csv) fail("create", path);
  snprintf(path, sizeof path, "%s/out/report.html", directory);
  FILE *html = fopen(path, "w");
  if (!html) fail("create", path);
  fputs("file,column,count,min,mean,max\n", csv);
  fputs("<!doctype html><meta charset=utf-8><title>Report</title>"
        "<style>body{font:16px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:right}</style>\n", html);
  for (int i = 0; i < files; i++) {
    snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
    int count = read_columns(path);
    fputs("<h2>", html);
    escaped(html, entries[i]->d_name);
    fputs("</h2><table><tr><th>column<th>values<th>min<th>mean<th>max<th>course\n", html);
    for (int c = 0; c < count; c++) {
      if (columns[c].count > 0) write_column(csv, html, entries[i]->d_name, &columns[c]);
    }
    fputs("</table>\n", html);
    printf("%s: %d columns\n", entries[i]->d_name, count);
  }
  if (fclose(csv) != 0) fail("write", "out/summary.csv");
  if (fclose(html) != 0) fail("write", "out/report.html");
  return 0;
}
