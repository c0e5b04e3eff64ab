/** Every pointer of every function at and past the end of memory, and lengths that leave it. */

import assert from "node:assert/strict";
import { ERRNO } from "../../../core/wasi/abi.ts";
import { OpenDirectory, OpenFile } from "../../../core/wasi/descriptors.ts";
import { File } from "../../../core/wasi/file.ts";
import { bindFunction } from "../../../core/wasi/function_binding.ts";
import { Guest } from "../../../core/wasi/guest.ts";
import { Directory, emptyDirectory } from "../../../core/wasi/inode.ts";
import { WASI_FUNCTIONS } from "../../../core/wasi/module_imports.ts";
import { NAMESPACES } from "../../../core/wasi/preview1.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";
import { Collected, makeProgram } from "./guest_fixture.ts";
import { moduleOf } from "./module_bytes.ts";

const MEMORY_BYTES = 65_536;
const ALL_RIGHTS = 2 ** 30 - 1;

/** Where things are in the memory of the guest. */
const FILE = 0x100;
const FRESH = 0x110;
const FOLDER = 0x120;
const LINK = 0x130;
const IOVEC = 0x200;
const DATA = 0x300;
const OUT = 0x400;
const SUBSCRIPTION = 0x500;
const LARGE_OUT = 0x600;

/** Descriptors besides the streams and the directory at 3. */
const OPEN_FILE = 4;
const OPEN_FOLDER = 5;

/** An argument that points to `size` bytes, and one that says how many there are. */
interface Pointer {
  readonly at: number;
  readonly size: number;
}
interface Length {
  readonly length: number;
  /** What a length that leaves the memory gives; EFAULT where it is left out. */
  readonly errno?: number;
}
type Call = readonly [string, ...Argument[]];
type Argument = number | bigint | Pointer | Length;

const to = (at: number, size: number): Pointer => ({ at, size });
const long = (length: number, errno?: number): Length => errno === undefined ? { length } : { length, errno };
const [file, fresh, folder, link] = [to(FILE, 4), to(FRESH, 5), to(FOLDER, 6), to(LINK, 4)];
const [iovec, one, count] = [to(IOVEC, 8), long(1, ERRNO.INVAL), to(OUT, 4)];

/** A call of each function that has pointers, with everything in it as it should be. */
const CALLS = (filestatBytes: number, subscriptionBytes: number): readonly Call[] => [
  ["args_get", to(OUT, 8), to(LARGE_OUT, 10)],
  ["args_sizes_get", count, to(LARGE_OUT, 4)],
  ["environ_get", to(OUT, 8), to(LARGE_OUT, 8)],
  ["environ_sizes_get", count, to(LARGE_OUT, 4)],
  ["clock_res_get", 0, to(OUT, 8)],
  ["clock_time_get", 1, 0n, to(OUT, 8)],
  ["fd_fdstat_get", OPEN_FILE, to(OUT, 24)],
  ["fd_filestat_get", OPEN_FILE, to(OUT, filestatBytes)],
  ["fd_filestat_get", 0, to(OUT, filestatBytes)],
  ["fd_pread", OPEN_FILE, iovec, one, 0n, count],
  ["fd_prestat_dir_name", 3, to(LARGE_OUT, 1), 1],
  ["fd_prestat_get", 3, to(OUT, 8)],
  ["fd_pwrite", OPEN_FILE, iovec, one, 0n, count],
  ["fd_read", 0, iovec, one, count],
  ["fd_read", OPEN_FILE, iovec, one, count],
  ["fd_readdir", 3, to(LARGE_OUT, 200), long(200), 0n, count],
  ["fd_seek", OPEN_FILE, 3n, 0, to(OUT, 8)],
  ["fd_tell", OPEN_FILE, to(OUT, 8)],
  ["fd_write", 1, iovec, one, count],
  ["fd_write", OPEN_FILE, iovec, one, count],
  ["path_create_directory", 3, fresh, long(5)],
  ["path_filestat_get", 3, 1, file, long(4), to(OUT, filestatBytes)],
  ["path_filestat_set_times", 3, 1, file, long(4), 7n, 7n, 5],
  ["path_link", 3, 0, file, long(4), 3, fresh, long(5)],
  ["path_open", 3, 1, file, long(4), 8, 2n, 0n, 0, count],
  ["path_open", 3, 1, fresh, long(5), 1, 2n, 0n, 0, count],
  ["path_readlink", 3, link, long(4), to(LARGE_OUT, 16), long(16), count],
  ["path_remove_directory", 3, folder, long(6)],
  ["path_rename", 3, file, long(4), 3, fresh, long(5)],
  ["path_symlink", file, long(4), 3, fresh, long(5)],
  ["path_unlink_file", 3, file, long(4)],
  ["poll_oneoff", to(SUBSCRIPTION, subscriptionBytes), to(LARGE_OUT, 32), one, count],
  ["random_get", to(LARGE_OUT, 16), long(16)],
];

/** All that reads into or writes from buffers; some have an offset. */
const TRANSFERS: readonly (readonly [string, number, ...bigint[]])[] = [
  ...[["fd_read", 0], ["fd_read", OPEN_FILE], ["fd_pread", OPEN_FILE, 0n]] as const,
  ...[["fd_write", 1], ["fd_write", OPEN_FILE], ["fd_pwrite", OPEN_FILE, 0n]] as const,
];

/** A guest with files, two open descriptors, and the memory that the calls above are about. */
class World {
  readonly stdout = new Collected();
  readonly guest: Guest;
  readonly #root: Directory = emptyDirectory();
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  #taken = 0;

  constructor() {
    const { volume } = this.#root;
    const contents = File.of(volume, 1n, new TextEncoder().encode("0123456789"));
    const folder = new Directory(volume, 1n);
    this.#root.add("file", contents, 1n);
    this.#root.add("folder", folder, 1n);
    this.#root.add("link", new Symlink(volume, 1n, "file"), 1n);
    this.guest = new Guest(makeProgram(moduleOf(), {
      args: ["program", "x"],
      env: ["A=1", "B=2"],
      preopens: [{ path: ".", directory: this.#root }],
      stdin: { read: (max) => new Uint8Array(Math.min(max, this.#take())) },
      stdout: this.stdout,
    }));
    this.guest.descriptors.add(new OpenFile(contents, ALL_RIGHTS, 0, 0));
    this.guest.descriptors.add(new OpenDirectory(folder, ALL_RIGHTS, ALL_RIGHTS, 0));
    this.guest.memory.attach(this.#memory);
    for (
      const [at, name] of [[FILE, "file"], [FRESH, "fresh"], [FOLDER, "folder"], [LINK, "link"]] as const
    ) {
      this.bytes.set(new TextEncoder().encode(name), at);
    }
    this.iovecs([DATA, 16]);
  }

  #take(): number {
    this.#taken += 16;
    return 16;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }

  iovecs(...entries: (readonly [number, number])[]): void {
    const view = new DataView(this.#memory.buffer);
    entries.flat().forEach((value, index) => view.setUint32(IOVEC + index * 4, value, true));
  }

  call(namespace: string, name: string, args: readonly (number | bigint)[]): number | Promise<number> {
    return bindFunction(NAMESPACES.get(namespace)!.get(name)!, this.guest, true)(...args);
  }

  /** What a call that fails must leave alone. */
  state(): unknown {
    const { inode, position } = this.guest.descriptors.file(OPEN_FILE, 0);
    const names = this.#root.list().map((entry) => entry.name);
    const { mtim } = inode;
    assert.throws(() => this.guest.descriptors.get(OPEN_FOLDER + 1));
    return { taken: this.#taken, written: this.stdout.text, size: inode.size, position, names, mtim };
  }
}

function plain(args: readonly Argument[]): (number | bigint)[] {
  return args.map((arg) => typeof arg !== "object" ? arg : "at" in arg ? arg.at : arg.length);
}

/** The call with one argument replaced. */
function replaced(args: readonly Argument[], index: number, value: number): (number | bigint)[] {
  return plain(args).with(index, value);
}

Deno.test("CALLS has every function with a pointer, except for sockets, which there are none of", () => {
  const names = new Set(CALLS(64, 48).map(([name]) => name));
  const without = Object.keys(WASI_FUNCTIONS).filter((name) => !names.has(name));
  assert.deepEqual(without.toSorted(), [
    ...["fd_advise", "fd_allocate", "fd_close", "fd_datasync", "fd_fdstat_set_flags", "fd_fdstat_set_rights"],
    ...["fd_filestat_set_size", "fd_filestat_set_times", "fd_renumber", "fd_sync", "proc_exit", "proc_raise"],
    ...["sched_yield", "sock_accept", "sock_recv", "sock_send", "sock_shutdown"],
  ]);
});

for (
  const [namespace, calls] of [["wasi_snapshot_preview1", CALLS(64, 48)], [
    "wasi_unstable",
    CALLS(56, 56),
  ]] as const
) {
  for (const [name, ...args] of calls) {
    const described = `${namespace}.${name}(${plain(args).join(", ")})`;

    Deno.test(`${described} answers pointers that leave the memory with EFAULT and does nothing`, async () => {
      for (const [index, arg] of args.entries()) {
        if (typeof arg !== "object" || !("at" in arg)) continue;
        // The first one has all bytes but the last in memory.
        for (const at of [MEMORY_BYTES - arg.size + 1, MEMORY_BYTES, -1, -MEMORY_BYTES, 0x7fffffff]) {
          const world = new World();
          const before = world.state();
          const errno = await world.call(namespace, name, replaced(args, index, at));
          assert.equal(errno, ERRNO.FAULT, `argument ${index} at ${at}`);
          assert.deepEqual(world.state(), before, `argument ${index} at ${at}`);
        }
      }
    });

    Deno.test(`${described} works with pointers to the very end of memory`, async () => {
      for (const [index, arg] of args.entries()) {
        if (typeof arg !== "object" || !("at" in arg)) continue;
        const world = new World();
        const at = MEMORY_BYTES - arg.size;
        world.bytes.copyWithin(at, arg.at, arg.at + arg.size);
        const errno = await world.call(namespace, name, replaced(args, index, at));
        assert.equal(errno, ERRNO.SUCCESS, `argument ${index}`);
      }
    });

    Deno.test(`${described} answers lengths that leave the memory with an errno and does nothing`, async () => {
      for (const [index, arg] of args.entries()) {
        if (typeof arg !== "object" || !("length" in arg)) continue;
        for (const length of [MEMORY_BYTES, -1, 0x7fffffff, 0x20000001]) {
          const world = new World();
          const before = world.state();
          const errno = await world.call(namespace, name, replaced(args, index, length));
          assert.equal(errno, arg.errno ?? ERRNO.FAULT, `argument ${index} as ${length}`);
          assert.deepEqual(world.state(), before, `argument ${index} as ${length}`);
        }
      }
    });
  }

  for (const [name, fd, ...offset] of TRANSFERS) {
    Deno.test(`${namespace}.${name}(${fd}) moves nothing when one of its buffers leaves the memory`, async () => {
      for (
        const bad of [[MEMORY_BYTES - 1, 2], [0xffffffff, 1], [8, 0xffffffff]] as const
      ) {
        const world = new World();
        // The file has more than five bytes, so that the second buffer is needed.
        world.iovecs([DATA, 5], bad);
        const before = world.state();
        assert.equal(
          await world.call(namespace, name, [fd, IOVEC, 2, ...offset, OUT]),
          ERRNO.FAULT,
          `${bad}`,
        );
        assert.deepEqual(world.state(), before, `${bad}`);
      }
    });
  }

  Deno.test(`${namespace}.sock_* never look at a pointer: EBADF for no descriptor, else ENOTSOCK`, async () => {
    const world = new World();
    for (const name of ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"]) {
      const rest = Array.from(WASI_FUNCTIONS[name]!.split(":")[0]!.slice(1), () => -1);
      for (const fd of [0, 1, 2, 3, OPEN_FILE, OPEN_FOLDER]) {
        assert.equal(await world.call(namespace, name, [fd, ...rest]), ERRNO.NOTSOCK, `${name} ${fd}`);
      }
      for (const fd of [6, 1024, -1]) {
        assert.equal(await world.call(namespace, name, [fd, ...rest]), ERRNO.BADF, `${name} ${fd}`);
      }
    }
  });
}
