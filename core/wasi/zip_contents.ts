/** Unpacks the entries of a ZIP, one at a time. */

import type { FileEntry } from "@zip.js/zip.js";
import { listZip, reasonOf, type ZipEntry } from "./zip_entries.ts";
import { loadZipLibrary, type ZipLibrary } from "./zip_library.ts";
import { refuseZip } from "./zip_names.ts";

const NOTHING = new Uint8Array();

/**
 * The contents of `entries`, which were read from the same ZIP, in their order: exactly as many bytes as declared,
 * and none for a directory. Throws `invalid_argument` and names the entry.
 */
export async function* unpackEntries(
  zip: Uint8Array,
  entries: readonly ZipEntry[],
): AsyncGenerator<[ZipEntry, Uint8Array]> {
  const library = await loadZipLibrary();
  const ends = endsOf(entries, zip.length);
  let index = 0;
  // Listed anew, as all entries of the library at once take far more memory than what they name.
  for await (const listed of listZip(zip, library)) {
    const entry = entries[index++]!;
    if (listed.directory) {
      yield [entry, NOTHING];
      continue;
    }
    const contents = await unpack(listed, entry.name, library);
    // Bombs are made of entries that share contents.
    if (listed.localDirectory!.dataOffset + listed.compressedSize > ends.get(entry.offset)!) {
      throw refuseZip(`entry "${entry.name}" shares its place with another one`);
    }
    yield [entry, contents];
  }
}

async function unpack(entry: FileEntry, name: string, library: ZipLibrary): Promise<Uint8Array> {
  // For size 0 the library would make room for 256 KiB.
  const writer = new library.Uint8ArrayWriter(1);
  try {
    return await entry.getData(writer);
  } catch (error) {
    throw refuseZip(`entry "${name}": ${reasonOf(error)}`, error);
  }
}

/** Where each entry has to end, by where it starts: at the next one. */
function endsOf(entries: readonly ZipEntry[], zipBytes: number): Map<number, number> {
  const starts = entries.map(({ offset }) => offset).sort((one, other) => one - other);
  const ends = starts.map((start, index): [number, number] => [start, starts[index + 1] ?? zipBytes]);
  // Of several that start at the same place the first counts: it has no room.
  return new Map(ends.reverse());
}
