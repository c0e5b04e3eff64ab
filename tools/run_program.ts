/** Runs other programs for the tools, and for tests that need what they print. */

import { ROOT } from "./project_files.ts";

/** Runs a program with the terminal's own streams and returns its exit code. */
export async function runProgram(program: string, args: readonly string[]): Promise<number> {
  const child = new Deno.Command(program, { args: [...args], cwd: ROOT, stdin: "null" }).spawn();
  return (await child.status).code;
}

/** Runs a program that must succeed and returns its stdout; throws with its stderr otherwise. */
export async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const result = await new Deno.Command(program, { args: [...args], cwd: ROOT, stdin: "null" }).output();
  if (result.success) return new TextDecoder().decode(result.stdout);
  throw new Error(`${program} ended with code ${result.code}: ${new TextDecoder().decode(result.stderr)}`);
}
