/** What we say ourselves goes to standard error. */

/** Writes the text. A broken stderr must not end a server, and there is nobody left to tell. */
export function writeStderr(text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // See above: saying so would fail in the same way.
  }
}
