/** The environment of our own children: they inherit none, as ours may hold tokens. */

import { resolve } from "node:path";

/** Where Deno keeps what it has compiled (DENO_DIR, or a place derived from the others), and what Windows needs. */
const PASSED = ["DENO_DIR", "HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "SystemRoot"];

/** To be used with `clearEnv`; good in any working directory. */
export function childEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of PASSED) {
    const value = Deno.env.get(name);
    if (value !== undefined) environment[name] = name === "DENO_DIR" ? resolve(value) : value;
  }
  return environment;
}
