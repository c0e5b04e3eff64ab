/** How much memory the process of a slot may take while a task runs, beyond what it had before. */

import { ROOTFS_LIMITS } from "../wasi/rootfs.ts";
import type { SlotLimits } from "./slot.ts";

const MIB = 1024 * 1024;

/** The engine's own: compiled code that grows while it runs, instances and buffers that are not yet collected. */
export const MAX_ENGINE_BYTES = 256 * MIB;
/** Of a file beyond its contents: measured at 1,480 with one byte in it, 1,920 when its name is as long as can be. */
export const INODE_BYTES = 2048;
/** Code is compiled to some times its size, by two compilers. */
const CODE_FACTOR = 8;
/** Smaller ZIPs of any ratio are unpacked up to this. */
const RATIO_FLOOR_BYTES = MIB;
/** The parts of the ZIP of artifacts, then all of it in one piece. */
const ARTIFACT_FACTOR = 2;

/** For a task whose files are all in the slot. A linear memory cannot exceed its cap, nor files their volume. */
export function taskMemory(
  { memoryBytes, diskBytes, inodes, artifactBytes }: SlotLimits,
  artifacts: boolean,
): number {
  const filesBytes = diskBytes + inodes * INODE_BYTES;
  return memoryBytes + filesBytes + (artifacts ? ARTIFACT_FACTOR * artifactBytes : 0) + MAX_ENGINE_BYTES;
}

/** For a Python task: its interpreter keeps files in memory, too, so all that the task may have is `memoryBytes`. */
export function pythonMemory({ memoryBytes, artifactBytes }: SlotLimits, artifacts: boolean): number {
  return memoryBytes + (artifacts ? ARTIFACT_FACTOR * artifactBytes : 0) + MAX_ENGINE_BYTES;
}

/** For a module that the slot is sent, or a wheel. */
export function moduleMemory(bytes: number): number {
  return CODE_FACTOR * bytes;
}

/** For a ZIP that the slot is sent. */
export function zipMemory(bytes: number): number {
  const { maxBytes, maxRatio } = ROOTFS_LIMITS;
  return bytes + Math.min(maxBytes, Math.max(RATIO_FLOOR_BYTES, maxRatio * bytes));
}
