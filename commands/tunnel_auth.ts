/** The passwords of `wasimoff tunnel http --auth FILE`. */

import { WasimoffError } from "../core/errors.ts";
import { readOperatorFile } from "../core/host/operator_file.ts";
import { MAX_TUNNEL_RULES } from "../core/protocol/limits.ts";

/** Longest file that is read: far above any list of passwords. */
const MAX_AUTH_FILE_BYTES = 64 * 1024;

/** The SHA-256 of each line `user:password`: no more than that leaves this machine. Empty lines and `#` are comments. */
export async function readTunnelAuth(path: string): Promise<Uint8Array[]> {
  const limit = { bytes: MAX_AUTH_FILE_BYTES, message: "it is too large" };
  const text = await readOperatorFile(path, { what: "passwords", limit });
  const lines = text.split("\n").map((line) => line.replace(/\r$/, "")).filter((line) =>
    !/^(#|\s*$)/.test(line)
  );
  if (lines.length === 0) throw refusal(path, "it names nobody: write user:password, one a line");
  if (lines.length > MAX_TUNNEL_RULES) throw refusal(path, `it names more than ${MAX_TUNNEL_RULES}`);
  return await Promise.all(lines.map(async (line, i) => {
    if (!/^[^:]+:./.test(line)) throw refusal(path, `line ${i + 1} is not of the form user:password`);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(line)));
  }));
}

function refusal(path: string, reason: string): WasimoffError {
  return new WasimoffError("failed_precondition", `read passwords "${path}": ${reason}`);
}
