/** Runs programs for the tools and the tests that check generated files. */

/** Runs a program with the terminal's own streams and returns its exit code. */
export async function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = new Deno.Command(program, { args: [...args], env, stdin: "null" }).spawn();
  return (await child.status).code;
}

/** Runs a program that must succeed and returns its stdout; throws with its stderr otherwise. */
export async function output(program: string, args: readonly string[], cwd = ROOT): Promise<string> {
  const result = await new Deno.Command(program, { args: [...args], cwd, stdin: "null" }).output();
  if (result.success) return new TextDecoder().decode(result.stdout);
  throw new Error(`${program} ended with code ${result.code}: ${new TextDecoder().decode(result.stderr)}`);
}

/** The project's directory. */
export const ROOT = new URL("..", import.meta.url).pathname;

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
