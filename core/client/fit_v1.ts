/** What of a task an existing broker can carry (wasimoff-v1 1.2), and what becomes of the rest. */

import { WasimoffError } from "../errors.ts";
import type { TaskRequest } from "./task_request.ts";

/** A task of which the files may not be stored yet. */
export type UnstoredTask = Omit<TaskRequest, "module" | "preopens"> & {
  readonly preopens?: readonly { readonly guest: string; readonly readOnly?: boolean }[];
};

type Rule = readonly [what: string, applies: (task: UnstoredTask) => boolean];

/** Promises that nobody would keep there. */
const REFUSED: readonly Rule[] = [
  ["a memory limit", ({ memoryBytes }) => memoryBytes !== undefined],
  ["a limit of CPU time", ({ cpuMs }) => cpuMs !== undefined],
  ["a disk limit", ({ diskBytes }) => diskBytes !== undefined],
  ["an output limit", ({ outputBytes }) => outputBytes !== undefined],
  ["a deterministic run", ({ deterministic }) => deterministic === true],
  ["required labels", ({ require = {} }) => Object.keys(require).length > 0],
  ["a number of attempts", ({ attempts }) => attempts !== undefined],
  [
    "other directories than one writable /",
    ({ python, preopens = [] }) => python === undefined && !isOneRoot(preopens),
  ],
  [
    "other directories than /mnt for Python",
    ({ python, preopens = [] }) => python !== undefined && !isOneMount(preopens),
  ],
  ["arguments of a Python program", ({ python, args }) => python !== undefined && args.length > 1],
  ["patterns of artifacts", ({ artifacts = [] }) => artifacts.some((path) => /[*?[]/.test(path))],
];

/** What is done as well as it can be. */
const WEAKER: readonly Rule[] = [
  ["the timeout counts from now on, waiting included", ({ timeoutMs }) => timeoutMs !== undefined],
  ["priority means nothing there", ({ priority }) => priority === true],
  ["--immediate is left to the provider", ({ immediate }) => immediate === true],
  ["a Python program that raises or exits loses its output", ({ python }) => python !== undefined],
  ["directories come back empty", ({ artifacts = [] }) => artifacts.length > 0],
];

/** Throws `failed_precondition` for a task that would run otherwise than it was asked for. */
export function checkFitV1(task: UnstoredTask): void {
  const refused = REFUSED.filter(([, applies]) => applies(task)).map(([what]) => what);
  if (refused.length === 0) return;
  const message = `this broker speaks wasimoff_v1, which cannot carry ${refused.join(", ")}: ` +
    "leave that out or use a newer broker";
  throw new WasimoffError("failed_precondition", message);
}

/** What a person should know before the task runs, in one line. */
export function noticeV1(task: UnstoredTask): string {
  const weaker = WEAKER.filter(([, applies]) => applies(task)).map(([what]) => what);
  return ["this broker takes all input first and gives output at the end", ...weaker].join("; ");
}

/** `/` from a ZIP, or the empty `.` that every guest without one gets. */
function isOneRoot(preopens: NonNullable<UnstoredTask["preopens"]>): boolean {
  const [first, ...others] = preopens;
  if (first === undefined) return true;
  return others.length === 0 && (first.guest === "/" || first.guest === ".") && first.readOnly !== true;
}

/** A rootfs, which Python programs find there. */
function isOneMount(preopens: NonNullable<UnstoredTask["preopens"]>): boolean {
  return preopens.length <= 1 &&
    preopens.every(({ guest, readOnly }) => guest === "/mnt" && readOnly !== true);
}
