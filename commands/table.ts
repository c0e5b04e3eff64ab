/** Plain tables for the `ls` commands. */

import { printable } from "./printable.ts";

/** Columns of the width of their longest cell, two spaces between them, no trailing spaces. */
export function formatTable(heading: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const lines = [heading, ...rows].map((cells) => cells.map(printable));
  const widths = heading.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? "").length)));
  return lines
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
    .join("\n");
}
