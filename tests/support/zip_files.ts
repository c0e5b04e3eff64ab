/** Makes ZIPs for tests. */

import { TextReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";

/** A ZIP of text files by their path. */
export async function zipFiles(files: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const [path, text] of Object.entries(files)) await writer.add(path, new TextReader(text));
  return await writer.close();
}
