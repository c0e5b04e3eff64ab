/** Replaces a file, or a link, as a whole. */

/** Writes beside `path` and renames: what was there stays until all is written, and a link is not followed. */
export async function replaceFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  // Not made of the name, which may be as long as names can be.
  const temporary = `${path.slice(0, path.lastIndexOf("/") + 1)}.${crypto.randomUUID()}.tmp`;
  try {
    await write(temporary);
    await Deno.rename(temporary, path);
  } catch (error) {
    // Nothing to remove when writing has failed at once; the first error is the one that counts.
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
