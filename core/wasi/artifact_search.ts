/** Finds what the paths and patterns of artifacts stand for. */

import { WasimoffError } from "../errors.ts";
import type { ArtifactPath } from "./artifact_path.ts";
import { WasiFault } from "./fault.ts";
import { isPattern, type MatchBudget, NamePattern } from "./glob.ts";
import { Directory, type Inode } from "./inode.ts";
import { resolvePath } from "./path.ts";
import { PATH_MAX_BYTES, Symlink } from "./symlink.ts";

/** An inode and its name in the ZIP. */
export interface FoundArtifact {
  readonly name: string;
  readonly inode: Inode;
}

/** Paths and patterns of one task. */
export const MAX_ARTIFACT_PATHS = 1024;

/** Throws `failed_precondition` when a task asks for too many artifacts, or by a path that is too long. */
export function checkArtifactPaths(paths: readonly string[]): void {
  if (paths.length > MAX_ARTIFACT_PATHS) {
    throw new WasimoffError("failed_precondition", `more than ${MAX_ARTIFACT_PATHS} paths of artifacts`);
  }
  if (paths.some(({ length }) => length > PATH_MAX_BYTES)) {
    throw new WasimoffError(
      "failed_precondition",
      `path of an artifact has more than ${PATH_MAX_BYTES} bytes`,
    );
  }
}

/** A part of a pattern: any number of directories, a pattern for one name, or a plain name. */
type Part = typeof ANY_DEPTH | NamePattern | string;
const ANY_DEPTH = Symbol("**");

/**
 * What a path leads to: one inode, where links at its end stand for themselves, or all that a pattern matches. A name
 * that is there wins over the pattern that it could be. Wildcards do not go through links.
 */
export function findArtifacts(path: ArtifactPath, budget: MatchBudget): FoundArtifact[] {
  const { root, prefix, parts, slash } = path;
  const plain = follow(root, `${parts.join("/") || "."}${slash ? "/" : ""}`, "before slash");
  if (plain !== undefined) return [{ name: [...prefix, ...parts].join("/"), inode: plain }];
  const pattern = parsePattern(parts);
  if (pattern.every((part) => typeof part === "string")) return [];
  const found = new PatternWalk(root, pattern, budget).run();
  return found.flatMap(({ name, inode }) =>
    slash && !(inode instanceof Directory)
      ? []
      : [{ name: [...prefix, name].filter((part) => part !== "").join("/"), inode }]
  );
}

function follow(root: Directory, path: string, links: "always" | "before slash"): Inode | undefined {
  try {
    return resolvePath(root, path, links).inode;
  } catch (error) {
    if (error instanceof WasiFault) return undefined;
    throw error;
  }
}

/** Several `**` in a row are one. */
function parsePattern(parts: readonly string[]): Part[] {
  return parts.filter((part, index) => part !== "**" || parts[index - 1] !== "**").map((part) => {
    if (part === "**") return ANY_DEPTH;
    return isPattern(part) ? new NamePattern(part) : part;
  });
}

/** A directory still to be looked at, and which parts of the pattern its entries may match. */
interface Stop {
  readonly name: string;
  readonly directory: Directory;
  readonly parts: ReadonlySet<number>;
}

/** Visits each directory once with all parts that are due there: `**` in a row does not multiply the work. */
class PatternWalk {
  readonly #root: Directory;
  readonly #pattern: readonly Part[];
  readonly #budget: MatchBudget;
  readonly #found: FoundArtifact[] = [];
  readonly #waiting: Stop[] = [];

  constructor(root: Directory, pattern: readonly Part[], budget: MatchBudget) {
    this.#root = root;
    this.#pattern = pattern;
    this.#budget = budget;
  }

  run(): FoundArtifact[] {
    this.#arrive("", this.#root, new Set([0]));
    for (let stop = this.#waiting.pop(); stop !== undefined; stop = this.#waiting.pop()) this.#visit(stop);
    return this.#found;
  }

  #visit({ name: above, directory, parts }: Stop): void {
    const next = new Map<
      string,
      { readonly name: string; readonly inode: Inode; readonly parts: Set<number> }
    >();
    const reach: Reach = (name, inode, { part, through }) => {
      // A link may be reached as itself, and as the directory that it leads to.
      const key = through ? `${name}/` : name;
      const known = next.get(key);
      if (known === undefined) next.set(key, { name, inode, parts: new Set([part]) });
      else known.parts.add(part);
    };
    for (const index of parts) {
      const part = this.#pattern[index]!;
      if (typeof part === "string") this.#step(directory, part, { above, index, reach });
      else this.#list(directory, part, { index, reach });
    }
    const from = this.#waiting.length;
    for (const { name, inode, parts } of next.values()) {
      this.#arrive(above === "" ? name : `${above}/${name}`, inode, parts);
    }
    // They are taken from the end.
    this.#waiting.push(...this.#waiting.splice(from).reverse());
  }

  /** A plain name; a link that is named leads on. */
  #step(
    directory: Directory,
    name: string,
    { above, index, reach }: { above: string; index: number; reach: Reach },
  ): void {
    this.#budget.spend(1);
    const inode = directory.lookup(name);
    if (inode === undefined) return;
    const part = index + 1;
    if (!(inode instanceof Symlink) || part === this.#pattern.length) return reach(name, inode, { part });
    const target = follow(this.#root, above === "" ? name : `${above}/${name}`, "always");
    if (target !== undefined) reach(name, target, { part, through: true });
  }

  #list(
    directory: Directory,
    part: typeof ANY_DEPTH | NamePattern,
    { index, reach }: { index: number; reach: Reach },
  ): void {
    for (const { name, inode } of directory.list()) {
      if (part !== ANY_DEPTH) {
        if (part.matches(name, this.#budget)) reach(name, inode, { part: index + 1 });
      } else {
        this.#budget.spend(1);
        if (inode instanceof Directory && !name.startsWith(".")) reach(name, inode, { part: index });
      }
    }
  }

  /** Notes a match, or that there is more to look for below. */
  #arrive(name: string, inode: Inode, parts: Set<number>): void {
    for (const index of parts) {
      // No directory at all is also any number of them.
      if (this.#pattern[index] === ANY_DEPTH) parts.add(index + 1);
    }
    // A directory that matches brings along everything below it.
    if (parts.has(this.#pattern.length)) this.#found.push({ name, inode });
    else if (inode instanceof Directory) this.#waiting.push({ name, directory: inode, parts });
  }
}

type Reach = (name: string, inode: Inode, how: { part: number; through?: boolean }) => void;
