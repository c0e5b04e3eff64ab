/** The guest's directories, from `--rootfs` and `--dir`. */

import { WasimoffError } from "../core/errors.ts";
import { MAX_FILE_BYTES } from "../core/provider/slot_intake.ts";
import { sniffMedia, ZIP_MEDIA } from "../core/storage/media.ts";
import { packDirectory } from "./pack_directory.ts";
import { formatSize } from "./size.ts";
import { usageError } from "./usage_error.ts";

export interface GuestDirectory {
  /** Path as the guest sees it. */
  readonly guest: string;
  /** A ZIP; null for an empty directory. */
  readonly zip: Uint8Array | null;
  /** Whether the guest may only read it. */
  readonly readOnly: boolean;
}

export interface DirectoryOptions {
  /** A ZIP that becomes `/`. */
  readonly rootfs: string | null;
  /** `HOST[::GUEST[::ro]]` each. */
  readonly dir: readonly string[];
}

/** Reads and packs what the flags name, `/` first; with none of them the guest has an empty `.`. */
export async function guestDirectories(
  { rootfs, dir }: DirectoryOptions,
): Promise<readonly GuestDirectory[]> {
  const mapped = dir.map(parseDirectoryFlag);
  const directories: GuestDirectory[] = [];
  if (rootfs !== null) directories.push({ guest: "/", zip: await readRootfs(rootfs), readOnly: false });
  for (const { host, guest, readOnly } of mapped) {
    if (directories.some((other) => other.guest === guest)) {
      throw usageError(`the guest's "${guest}" is given twice: name another one with --dir "${host}::NAME"`);
    }
    directories.push({ guest, zip: await packDirectory(host), readOnly });
  }
  return directories.length === 0 ? [{ guest: ".", zip: null, readOnly: false }] : directories;
}

export interface MappedDirectory {
  readonly host: string;
  readonly guest: string;
  readonly readOnly: boolean;
}

/**
 * `HOST`, `HOST::GUEST` or `HOST::GUEST::ro`; without `GUEST` the guest sees the directory under the name written,
 * as in wasmtime.
 */
export function parseDirectoryFlag(text: string): MappedDirectory {
  const [host = "", guest = host, mode, ...rest] = text.split("::");
  if (host === "" || guest === "" || rest.length > 0 || (mode !== undefined && mode !== "ro")) {
    throw usageError(`--dir "${text}": write HOST, HOST::GUEST or HOST::GUEST::ro`);
  }
  return { host, guest, readOnly: mode === "ro" };
}

async function readRootfs(path: string): Promise<Uint8Array> {
  try {
    const { isDirectory, size } = await Deno.stat(path);
    if (isDirectory) throw usageError(`it is a directory: give a ZIP, or --dir "${path}::/"`);
    if (size > MAX_FILE_BYTES) {
      throw new WasimoffError("out_of_range", `it has more than ${formatSize(MAX_FILE_BYTES)}`);
    }
    const bytes = await Deno.readFile(path);
    if (sniffMedia(bytes) !== ZIP_MEDIA) {
      throw usageError("it is no ZIP: make one, or give a directory with --dir");
    }
    return bytes;
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const { code, message } = WasimoffError.from(error, missing ? "not_found" : "unknown");
    const detail = missing ? "there is no such file" : message;
    throw new WasimoffError(code, `read rootfs "${path}": ${detail}`, { cause: error });
  }
}
