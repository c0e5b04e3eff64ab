/** The headers that describe a task on the plain HTTP door (wasimoff-v1 5.3). */

import { splitShellWords } from "./shell_words.ts";

export interface RunHeaders {
  /** Without argv[0]. */
  readonly args: readonly string[];
  /** `KEY=value` each. */
  readonly env: readonly string[];
  readonly rootfs: string | null;
  readonly artifacts: readonly string[];
}

const ENV_PREFIX = "x-env-";

/** Names in any case; of headers that should come once the first counts. Throws `invalid_argument` for bad quoting. */
export function readRunHeaders(rawHeaders: readonly string[]): RunHeaders {
  const values = new Map<string, string>();
  const env = new Map<string, string>();
  const artifacts: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const value = decodeHeader(rawHeaders[i + 1]!);
    if (name === "x-artifact") artifacts.push(value);
    else if (name.startsWith(ENV_PREFIX) && name.length > ENV_PREFIX.length) {
      const key = name.slice(ENV_PREFIX.length).toUpperCase();
      if (!env.has(key)) env.set(key, value);
    } else if (!values.has(name)) values.set(name, value);
  }
  const content = ["content-length", "content-type"].flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [`${name.toUpperCase().replace("-", "_")}=${value}`];
  });
  return {
    args: splitShellWords(values.get("x-args") ?? ""),
    env: [...[...env].map(([key, value]) => `${key}=${value}`), ...content],
    rootfs: values.get("x-rootfs-ref") ?? null,
    artifacts,
  };
}

/** Values come as Latin-1, one character for each byte; they are UTF-8 where they can be. */
function decodeHeader(value: string): string {
  if (!/[\x80-\xff]/.test(value) || /[^\0-\xff]/.test(value)) return value;
  try {
    const bytes = Uint8Array.from(value, (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return value; // Latin-1 after all
  }
}
