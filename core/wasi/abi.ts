/** The numbers of WASI preview 1 as its witx defines them: errno, rights, flags and struct layouts. */

export const ERRNO = {
  SUCCESS: 0,
  AGAIN: 6,
  BADF: 8,
  BUSY: 10,
  EXIST: 20,
  FAULT: 21,
  FBIG: 22,
  ILSEQ: 25,
  INVAL: 28,
  IO: 29,
  ISDIR: 31,
  LOOP: 32,
  MFILE: 33,
  NAMETOOLONG: 37,
  NOENT: 44,
  NOSPC: 51,
  NOSYS: 52,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTSOCK: 57,
  NOTSUP: 58,
  OVERFLOW: 61,
  PERM: 63,
  PIPE: 64,
  ROFS: 69,
  SPIPE: 70,
  XDEV: 75,
  NOTCAPABLE: 76,
} as const;

/** Bits of `rights`. All 30 fit a number, which is cheaper than the u64 of the interface. */
export const RIGHTS = {
  FD_DATASYNC: 1 << 0,
  FD_READ: 1 << 1,
  FD_SEEK: 1 << 2,
  FD_FDSTAT_SET_FLAGS: 1 << 3,
  FD_SYNC: 1 << 4,
  FD_TELL: 1 << 5,
  FD_WRITE: 1 << 6,
  FD_ADVISE: 1 << 7,
  FD_ALLOCATE: 1 << 8,
  PATH_CREATE_DIRECTORY: 1 << 9,
  PATH_CREATE_FILE: 1 << 10,
  PATH_LINK_SOURCE: 1 << 11,
  PATH_LINK_TARGET: 1 << 12,
  PATH_OPEN: 1 << 13,
  FD_READDIR: 1 << 14,
  PATH_READLINK: 1 << 15,
  PATH_RENAME_SOURCE: 1 << 16,
  PATH_RENAME_TARGET: 1 << 17,
  PATH_FILESTAT_GET: 1 << 18,
  PATH_FILESTAT_SET_SIZE: 1 << 19,
  PATH_FILESTAT_SET_TIMES: 1 << 20,
  FD_FILESTAT_GET: 1 << 21,
  FD_FILESTAT_SET_SIZE: 1 << 22,
  FD_FILESTAT_SET_TIMES: 1 << 23,
  PATH_SYMLINK: 1 << 24,
  PATH_REMOVE_DIRECTORY: 1 << 25,
  PATH_UNLINK_FILE: 1 << 26,
  POLL_FD_READWRITE: 1 << 27,
  SOCK_SHUTDOWN: 1 << 28,
  SOCK_ACCEPT: 1 << 29,
} as const;

/** Number of rights that preview 1 defines; guests may set bits beyond them, which mean nothing. */
export const RIGHTS_BITS = 30;
export const RIGHTS_ALL = 2 ** RIGHTS_BITS - 1;

/** Rights that make sense on a regular file. */
export const FILE_RIGHTS = RIGHTS.FD_DATASYNC | RIGHTS.FD_READ | RIGHTS.FD_SEEK | RIGHTS.FD_FDSTAT_SET_FLAGS |
  RIGHTS.FD_SYNC | RIGHTS.FD_TELL | RIGHTS.FD_WRITE | RIGHTS.FD_ADVISE | RIGHTS.FD_ALLOCATE |
  RIGHTS.FD_FILESTAT_GET | RIGHTS.FD_FILESTAT_SET_SIZE | RIGHTS.FD_FILESTAT_SET_TIMES |
  RIGHTS.POLL_FD_READWRITE;

/** Rights that make sense on a directory: everything else but sockets. */
export const DIRECTORY_RIGHTS = RIGHTS_ALL & ~(RIGHTS.SOCK_SHUTDOWN | RIGHTS.SOCK_ACCEPT) &
  ~(FILE_RIGHTS & ~(RIGHTS.FD_DATASYNC | RIGHTS.FD_FDSTAT_SET_FLAGS | RIGHTS.FD_SYNC |
    RIGHTS.FD_FILESTAT_GET | RIGHTS.FD_FILESTAT_SET_TIMES));

/** Rights of the standard streams; the lack of seeking is what makes them terminals to wasi-libc. */
export const STREAM_RIGHTS = RIGHTS.FD_DATASYNC | RIGHTS.FD_READ | RIGHTS.FD_FDSTAT_SET_FLAGS |
  RIGHTS.FD_SYNC | RIGHTS.FD_WRITE | RIGHTS.FD_FILESTAT_GET | RIGHTS.POLL_FD_READWRITE;

export const FILETYPE = { CHARACTER_DEVICE: 2, DIRECTORY: 3, REGULAR_FILE: 4, SYMBOLIC_LINK: 7 } as const;
export type Filetype = typeof FILETYPE[keyof typeof FILETYPE];

export const FDFLAGS = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;
export const FDFLAGS_ALL = 31;
export const OFLAGS = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;
export const OFLAGS_ALL = 15;
export const FSTFLAGS = { ATIM: 1, ATIM_NOW: 2, MTIM: 4, MTIM_NOW: 8 } as const;
export const LOOKUP_SYMLINK_FOLLOW = 1;
export const ADVICE_LAST = 5;
export const WHENCE = { SET: 0, CUR: 1, END: 2 } as const;
export const CLOCKID = { REALTIME: 0, MONOTONIC: 1, PROCESS_CPUTIME: 2, THREAD_CPUTIME: 3 } as const;
export const EVENTTYPE = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 } as const;
export const SUBCLOCK_ABSTIME = 1;
/** Flag of an event: the other side of the stream has gone. */
export const EVENT_HANGUP = 1;
export const PREOPENTYPE_DIR = 0;

/** Bytes of an `iovec`: pointer u32, length u32. */
export const IOVEC_BYTES = 8;
/** Bytes of an `fdstat`: filetype u8 @0, flags u16 @2, rights u64 @8, inheriting rights u64 @16. */
export const FDSTAT_BYTES = 24;
/** Bytes of a `dirent` before its name: next u64 @0, ino u64 @8, name length u32 @16, filetype u8 @20. */
export const DIRENT_BYTES = 24;
/** Bytes of an `event`: userdata u64 @0, errno u16 @8, type u8 @10, nbytes u64 @16, flags u16 @24. */
export const EVENT_BYTES = 32;
/** Bytes of a `prestat`: tag u8 @0, length of the name u32 @4. */
export const PRESTAT_BYTES = 8;
