/** What tasks require of providers, who meets it, and what to say when nobody does. */

import type { Labels, TaskPreopen, TaskSpec } from "../task.ts";
import { clipped } from "./clipped.ts";
import type { Generation } from "./event.ts";
import type { Group, Provider } from "./records.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What makes an artifact a pattern, which wasimoff_v1 has not. */
const PATTERN = /[*?[\]{}\\]/;

/** The oldest protocol that can carry a task, but for its stdin, whose length shows later. */
export function requiredGeneration(spec: TaskSpec): Generation {
  const { memoryBytes, cpuMs, diskBytes, deterministic, artifacts, lenientArtifacts } = spec;
  const limited = memoryBytes !== null || cpuMs !== null || diskBytes !== null;
  if (limited || deterministic || !(spec.python === undefined ? fitsV1(spec.preopens) : pythonFitsV1(spec))) {
    return 2;
  }
  return !lenientArtifacts && artifacts.some((artifact) => PATTERN.test(artifact)) ? 2 : 1;
}

/** wasimoff_v1 knows one ZIP at `/`; without it the guest gets an empty `.` (wasimoff-v1 6.4). */
function fitsV1(preopens: readonly TaskPreopen[]): boolean {
  const [first, ...more] = preopens;
  if (first === undefined) return true;
  return more.length === 0 && !first.readOnly && first.guest === (first.zip === null ? "." : "/");
}

/** There a Python program has no arguments, and its ZIP goes to `/mnt`. */
function pythonFitsV1({ args, preopens: [first, ...more] }: TaskSpec): boolean {
  if (args.length > 1 || more.length > 0) return false;
  return first === undefined || (first.guest === "/mnt" && first.zip !== null && !first.readOnly);
}

/** The same text for tasks with the same requirements, and for no others. */
export function requirementsKey(spec: TaskSpec, generation: Generation): string {
  const numbers = `${generation}/${spec.python !== undefined}/${spec.memoryBytes}/${spec.timeoutMs}`;
  const require = sortedLabels(spec.require);
  return require.length === 0 ? numbers : `${numbers}/${JSON.stringify(require)}`;
}

/** Labels in the order of their names. */
export function sortedLabels(labels: Labels): [string, string][] {
  return Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1);
}

type Requirements = Pick<Group, "require" | "memoryBytes" | "timeoutMs" | "generation" | "python">;

/** Whether a provider may ever run tasks with these requirements. */
export function meets(provider: Provider, required: Requirements): boolean {
  return meetsLabels(provider, required) &&
    required.generation <= provider.generation &&
    (provider.python || !required.python) &&
    (required.memoryBytes ?? 0) <= provider.taskMemoryBytes &&
    (required.timeoutMs ?? 0) <= provider.taskTimeoutMs;
}

function meetsLabels({ labels }: Provider, { require }: Requirements): boolean {
  return require.every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}

/** One line on why none of these providers can run such tasks; `other` when one was tried before. */
export function missing(providers: readonly Provider[], required: Requirements, other: boolean): string {
  const none = other ? "no other provider" : "no provider";
  if (providers.length === 0) return `${none} is connected`;
  const newer = providers.filter(({ generation }) => required.generation <= generation);
  if (newer.length === 0) {
    return `task needs a provider of wasimoff_v2: ${other ? "no other" : "none"} is connected`;
  }
  const able = newer.filter(({ python }) => python || !required.python);
  if (able.length === 0) return `${none} runs Python: it is offered by "wasimoff provider --python"`;
  const labelled = able.filter((provider) => meetsLabels(provider, required));
  if (labelled.length === 0) return `${none} has ${labelsText(required)}`;
  const memoryBytes = required.memoryBytes ?? 0;
  const large = labelled.filter((provider) => memoryBytes <= provider.taskMemoryBytes);
  const such = required.require.length === 0 ? none : `${none} with ${labelsText(required)}`;
  if (large.length === 0) {
    const most = Math.max(...labelled.map((provider) => provider.taskMemoryBytes));
    return `${such} allows ${bytesText(memoryBytes)} of memory: at most ${bytesText(most)}`;
  }
  const timeoutMs = required.timeoutMs ?? 0;
  const patient = large.filter((provider) => timeoutMs <= provider.taskTimeoutMs);
  if (patient.length === 0) {
    const most = Math.max(...large.map((provider) => provider.taskTimeoutMs));
    return `${such} allows a timeout of ${timeoutMs / 1000} s: at most ${most / 1000} s`;
  }
  return other ? "every other matching provider is draining" : "every matching provider is draining";
}

function labelsText({ require }: Requirements): string {
  const list = require.map(([name, value]) => `${name}=${value}`).join(" ");
  return clipped(`${require.length === 1 ? "label" : "labels"} ${list}`);
}

function bytesText(bytes: number): string {
  if (bytes >= MIB) return `${Math.floor(bytes / MIB * 10) / 10} MiB`;
  return bytes >= KIB ? `${Math.floor(bytes / KIB * 10) / 10} KiB` : `${bytes} bytes`;
}
