/** How this program starts itself once more, as a child with another task. */

export interface ChildCommand {
  readonly path: string;
  readonly args: readonly string[];
}

/**
 * The command for a hidden subcommand: the compiled binary itself, or `deno run` on `entryUrl` (the file that runs
 * it) from source. There the child gets only `permissions` (such as `--allow-run`) and the subcommand as a name for
 * people who list processes; in the binary permissions are baked in, so the subcommand has to revoke the others.
 */
export function selfCommand(
  subcommand: string,
  entryUrl: string,
  permissions: readonly string[] = [],
): ChildCommand {
  const path = Deno.execPath();
  if (Deno.build.standalone) return { path, args: [subcommand] };
  // No lock file: children must not write one, and what they load the parent has checked. Only what is cached: an
  // import of a package asks its registry, and needs no permission for that.
  const run = ["run", "--no-prompt", "--quiet", "--no-lock", "--cached-only", ...permissions];
  return { path, args: [...run, entryUrl, subcommand] };
}
