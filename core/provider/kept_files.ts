/** What each slot keeps in memory between tasks: N slots keep N times as much. */

const MIB = 1024 * 1024;
/** Compiled code is so many times as large as the module, about. */
export const CODE_FACTOR = 4;
/** By the size of the modules: some 200 MiB of code at the very most. */
export const MODULE_CACHE = { maxEntries: 32, maxBytes: 48 * MIB };
/** By the memory that unpacked ZIPs take; larger ones are unpacked for each task. */
export const TREE_CACHE = { maxEntries: 8, maxBytes: 256 * MIB };
/** The most that a slot keeps on purpose. */
export const MAX_KEPT_BYTES = CODE_FACTOR * MODULE_CACHE.maxBytes + TREE_CACHE.maxBytes;
