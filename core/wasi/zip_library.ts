/** The library that reads and writes ZIPs: loaded when there is a ZIP, as most tasks have none. */

/** How much the library reads at once. Bytes may become a thousand times as many before anybody counts them. */
const PIECE_BYTES = 64 * 1024;

export type ZipLibrary = typeof import("@zip.js/zip.js");

/** Loads it once; neither slots nor browsers let it start workers. */
export async function loadZipLibrary(): Promise<ZipLibrary> {
  const library = await import("@zip.js/zip.js");
  library.configure({ chunkSize: PIECE_BYTES, useWebWorkers: false });
  return library;
}
