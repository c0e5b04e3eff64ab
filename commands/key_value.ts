/** Pairs written `KEY=VALUE`. */

import { usageError } from "./usage_error.ts";

/** Splits at the first `=`; the value may be empty and may hold further `=`, the key may not be empty. */
export function parseKeyValue(text: string): [key: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw usageError(`"${text}" is no pair: write KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Writes a pair so that `parseKeyValue` reads it back. */
export function formatKeyValue([key, value]: readonly [string, string]): string {
  return `${key}=${value}`;
}
