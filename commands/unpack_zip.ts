/** Unpacks a ZIP made by somebody else into a directory of ours. */

import { WasimoffError } from "../core/errors.ts";
import { unpackEntries } from "../core/wasi/zip_contents.ts";
import { readZipEntries, type ZipEntry } from "../core/wasi/zip_entries.ts";
import { decodeZipText } from "../core/wasi/zip_names.ts";
import { replaceFile } from "./replace_file.ts";
import { safePath, staysBelow } from "./safe_path.ts";

/** Unpacked bytes in total. */
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024;
/** Files and links, and all directories that they are in. */
const MAX_UNPACKED_ENTRIES = 65_535;
const EXECUTABLE_MODE = 0o777;
const FILE_MODE = 0o666;

export interface UnpackOptions {
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** Told about links that would lead out of the directory: they are left out. */
  readonly onSkippedLink: (name: string, target: string) => void;
}

/**
 * Writes the tree into the directory. Existing files are replaced, links on the way are never followed and no
 * path leaves the directory. All names and declared sizes are checked before anything is written.
 */
export async function unpackZip(zip: Uint8Array, directory: string, options: UnpackOptions): Promise<void> {
  const { maxBytes = MAX_UNPACKED_BYTES, maxEntries = MAX_UNPACKED_ENTRIES, onSkippedLink } = options;
  try {
    // Whatever the ratio: the sizes are bounded, and so is the ZIP.
    const entries = await readZipEntries(zip, { maxEntries, maxBytes, maxRatio: Infinity });
    checkNames(entries, maxEntries);
    await Deno.mkdir(directory, { recursive: true });
    const place = { directory, entered: new Set<string>(), onSkippedLink };
    for await (const unpacked of unpackEntries(zip, entries)) await writeEntry(unpacked, place);
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    throw new WasimoffError("unknown", `unpack into "${directory}": ${WasimoffError.from(error).message}`, {
      cause: error,
    });
  }
}

/** Throws when a name is not safe, or when all of them would make too many directories. */
function checkNames(entries: readonly ZipEntry[], maxEntries: number): void {
  const directories = new Set<string>();
  let others = 0;
  for (const { name, kind } of entries) {
    const parts = safePath(name);
    if (kind !== "directory") others += 1;
    for (let path = "", index = 0; index < parts.length - (kind === "directory" ? 0 : 1); index++) {
      directories.add(path += `/${parts[index]}`);
    }
    if (directories.size + others > maxEntries) {
      throw new WasimoffError("out_of_range", `unpack ZIP: more than ${maxEntries} files and directories`);
    }
  }
}

interface Place {
  readonly directory: string;
  /** Directories that are known to be real ones. */
  readonly entered: Set<string>;
  readonly onSkippedLink: UnpackOptions["onSkippedLink"];
}

async function writeEntry([entry, content]: [ZipEntry, Uint8Array], place: Place): Promise<void> {
  const parts = safePath(entry.name);
  const parents = entry.kind === "directory" ? parts : parts.slice(0, -1);
  let path = place.directory;
  for (const part of parents) path = await enter(`${path}/${part}`, place.entered);
  if (entry.kind === "directory") return;
  path = `${path}/${parts.at(-1)}`;
  if (entry.kind === "link") {
    const target = decodeZipText(content, `the target of link "${entry.name}"`);
    if (!staysBelow(target, parents.length)) return place.onSkippedLink(entry.name, target);
    return await replaceFile(path, (temporary) => Deno.symlink(target, temporary));
  }
  const mode = entry.executable ? EXECUTABLE_MODE : FILE_MODE;
  await replaceFile(path, (temporary) => Deno.writeFile(temporary, content, { mode }));
}

/** Makes sure that a real directory is there: a link in its place could lead anywhere. */
async function enter(path: string, entered: Set<string>): Promise<string> {
  if (entered.has(path)) return path;
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (!(await Deno.lstat(path)).isDirectory) {
      throw new WasimoffError(
        "failed_precondition",
        `unpack: "${path}" is in the way of a directory: move it away`,
      );
    }
  }
  entered.add(path);
  return path;
}
