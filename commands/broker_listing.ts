/** Lists that the broker answers as JSON documents of schema 1. */

import { WasimoffError } from "../core/errors.ts";

/** Largest list that is read, bytes: some 200,000 entries. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

export type Row = Readonly<Record<string, unknown>>;

/** The rows under `key` of the answer; `internal` when the answer is nothing of the kind. */
export async function readListing(response: Response, key: string): Promise<readonly Row[]> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_LIST_BYTES) {
      throw new WasimoffError("out_of_range", "the list of the broker is too long to show");
    }
    chunks.push(chunk);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(await new Blob(chunks).text());
  } catch (error) {
    throw new WasimoffError("internal", "the broker answered something that is no JSON", { cause: error });
  }
  const rows = (parsed as Row | null)?.[key];
  if (Array.isArray(rows) && rows.every((row) => typeof row === "object" && row !== null)) return rows;
  throw new WasimoffError("internal", `the broker answered without a list of ${key}`);
}

/** A value of a row as a cell of a table; what is missing is a dash. */
export function cell(value: unknown): string {
  if (value === undefined || value === null || value === "") return "-";
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(String).join(",");
  if (typeof value !== "object") return String(value);
  const pairs = Object.entries(value).map(([key, item]) => `${key}=${item}`);
  return pairs.length === 0 ? "-" : pairs.join(",");
}
