/** Who imports whom in the project, from `deno info --json`. */

import { outputOf } from "../../tools/run_program.ts";

const PREFIX = new URL("../../", import.meta.url).href;

/** An import between two files, or from a file to a package; paths are from the project's root. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** Whether `to` is loaded as soon as `from` is: no type, no `import()`. */
  readonly eager: boolean;
}

/** As `deno info --json` prints them. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Dependency[];
}
interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier: string };
  readonly type?: { readonly specifier: string };
  readonly isDynamic?: boolean;
}

/** Every import of the given files and of those they lead to, types included. */
export async function importGraph(files: readonly string[]): Promise<Edge[]> {
  const entry = await Deno.makeTempFile({ prefix: "wasimoff-layers-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(entry, files.map((file) => `import "${PREFIX}${file}";\n`).join(""));
    const json = await outputOf(Deno.execPath(), ["info", "--json", "--config", "deno.json", entry]);
    const modules: Module[] = JSON.parse(json).modules;
    return modules.filter(({ specifier }) => specifier.startsWith(PREFIX)).flatMap(edgesOf);
  } finally {
    await Deno.remove(entry);
  }
}

function edgesOf({ specifier: from, dependencies = [] }: Module): Edge[] {
  return dependencies.map(({ specifier, code, type, isDynamic }) => {
    const target = (code ?? type)?.specifier ?? specifier;
    const to = target.startsWith(PREFIX) ? target.slice(PREFIX.length) : specifier;
    return { from: from.slice(PREFIX.length), to, eager: code !== undefined && !isDynamic };
  });
}

/** What is reached from a file over such edges, itself included. */
export function reach(start: string, follow: ReadonlyMap<string, readonly Edge[]>): ReadonlySet<string> {
  const reached = new Set([start]);
  for (const file of reached) {
    for (const { to } of follow.get(file) ?? []) reached.add(to);
  }
  return reached;
}

/** Edges by the file they start from. */
export function bySource(edges: readonly Edge[]): ReadonlyMap<string, readonly Edge[]> {
  return Map.groupBy(edges, ({ from }) => from);
}
