/** Packs what a guest leaves behind as the existing programs do it (wasimoff-v1 6.4). */

import { WasimoffError } from "../errors.ts";
import { checkArtifactPaths } from "./artifact_search.ts";
import { WasiFault } from "./fault.ts";
import { File } from "./file.ts";
import type { Directory } from "./inode.ts";
import { findPlace } from "./path.ts";
import type { Preopen } from "./program.ts";
import { packZip, ZIP_END_BYTES, type ZipItem, zipItemBytes } from "./zip_writer.ts";

/**
 * Packs regular files; for whatever else a path leads to, and for nothing, there is a directory without content.
 * Paths are meant in the first preopen, a slash before them is dropped, nothing in them is a pattern. Paths that
 * climb are left out: they would do harm where the ZIP is unpacked. Rejects with `out_of_range` beyond `maxBytes`.
 */
export async function packLenientArtifacts(
  preopens: readonly Preopen[],
  paths: readonly string[],
  { maxBytes }: { maxBytes: number },
): Promise<Uint8Array> {
  checkArtifactPaths(paths);
  const root = preopens[0]?.directory;
  const items = new Map<string, ZipItem>();
  let bytes = ZIP_END_BYTES;
  for (const path of paths) {
    const name = path.replace(/^\//, "").replace(/\/+$/, "");
    if (name === "" || name.split("/").includes("..") || items.has(name)) continue;
    const item = itemOf(name, root === undefined ? null : fileAt(root, name));
    bytes += zipItemBytes(new TextEncoder().encode(name).length, item.size);
    if (bytes > maxBytes) {
      const message = `pack artifacts: they are larger than ${maxBytes} bytes, the limit for artifacts`;
      throw new WasimoffError("out_of_range", message);
    }
    items.set(name, item);
  }
  return await packZip([...items.values()]);
}

function fileAt(root: Directory, path: string): File | null {
  try {
    const { inode } = findPlace(root, path, "always");
    return inode instanceof File ? inode : null;
  } catch (error) {
    if (error instanceof WasiFault) return null;
    throw error;
  }
}

function itemOf(name: string, file: File | null): ZipItem {
  const common = { name, executable: false, mtimeMs: null };
  return file === null
    ? { ...common, kind: "directory", size: 0, read() {} }
    : { ...common, kind: "file", size: file.size, read: (at, into) => file.read(at, into) };
}
