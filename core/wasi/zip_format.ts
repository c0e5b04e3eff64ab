/** Numbers of the ZIP format that reader and writer share (APPNOTE.TXT 6.3.10 of PKWARE). */

/** What a record starts with, and how long it is without its names and extra fields. */
export const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 } as const;
export const CENTRAL_HEADER = { signature: 0x02014b50, bytes: 46 } as const;
export const END_RECORD = { signature: 0x06054b50, bytes: 22 } as const;
export const END_RECORD_64 = { signature: 0x06064b50, bytes: 56 } as const;
export const END_LOCATOR_64 = { signature: 0x07064b50, bytes: 20 } as const;

/** These values say that the true one is in a 64-bit field. */
export const MAX_U16 = 0xffff;
export const MAX_U32 = 0xffffffff;

export const METHOD = { STORED: 0, DEFLATED: 8 } as const;
/** General purpose bit 11: names are UTF-8. */
export const FLAG_UTF8 = 0x800;
/** Upper byte of "version made by": the mode of POSIX is in the upper half of the external attributes. */
export const MADE_ON_UNIX = 3;
export const MADE_ON_MACOS = 19;

export const EXTRA = { ZIP64: 0x0001, EXTENDED_TIME: 0x5455 } as const;

/** Kinds of files in modes of POSIX. */
export const MODE = { KIND: 0o170000, FILE: 0o100000, DIRECTORY: 0o040000, LINK: 0o120000 } as const;
export const MODE_OWNER_EXECUTES = 0o100;
