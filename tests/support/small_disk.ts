/** A small file system of its own, for tests of full disks. */

/** Size of the file system. */
export const SMALL_DISK_BYTES = 8 * 1024 * 1024;

/** Mounts a tmpfs, gone at the end of the scope; null where that is not allowed, as in most containers. */
async function mountSmallDisk(): Promise<({ readonly path: string } & AsyncDisposable) | null> {
  if (Deno.uid() !== 0) return null;
  const path = await Deno.makeTempDir({ prefix: "wasimoff-test-" });
  if (!await succeeds("mount", ["-t", "tmpfs", "-o", `size=${SMALL_DISK_BYTES}`, "tmpfs", path])) {
    await Deno.remove(path);
    return null;
  }
  const dispose = async () => {
    if (!await succeeds("umount", [path])) throw new Error(`"${path}" is still in use`);
    await Deno.remove(path);
  };
  return { path, [Symbol.asyncDispose]: dispose };
}

async function succeeds(command: string, args: string[]): Promise<boolean> {
  return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
}

async function tryOnce(): Promise<boolean> {
  await using disk = await mountSmallDisk();
  return disk !== null;
}

const maySmallDisk = await tryOnce();

/** A test with a small disk, skipped where none can be had. */
export function smallDiskTest(name: string, run: (path: string) => Promise<void>): void {
  const fn = async () => {
    await using disk = await mountSmallDisk();
    await run(disk!.path);
  };
  Deno.test({ name, ignore: !maySmallDisk, fn });
}
