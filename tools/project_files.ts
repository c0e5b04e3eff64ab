/** Finds the files of the project. */

/** The path of the project's directory, with a slash at its end. */
export const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);

/** Regular files below a directory, as sorted paths from it; none when it does not exist. */
export async function filesBelow(directory: string, suffix: string): Promise<string[]> {
  const files: string[] = [];
  try {
    for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
      if (isDirectory) {
        files.push(...(await filesBelow(`${directory}/${name}`, suffix)).map((path) => `${name}/${path}`));
      } else if (isFile && name.endsWith(suffix)) files.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort();
}
