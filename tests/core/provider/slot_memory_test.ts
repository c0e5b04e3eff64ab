/** Tests of what the process of a slot may take. */

import { ok, strictEqual } from "node:assert/strict";
import { MAX_INODES } from "../../../core/provider/slot.ts";
import {
  INODE_BYTES,
  MAX_ENGINE_BYTES,
  moduleMemory,
  pythonMemory,
  taskMemory,
  zipMemory,
} from "../../../core/provider/slot_memory.ts";
import { ROOTFS_LIMITS } from "../../../core/wasi/rootfs.ts";
import { LIMITS } from "../../support/slot_tasks.ts";

const MIB = 1024 * 1024;

Deno.test("taskMemory() is the cap, the files, what is returned, and the engine's own", () => {
  const limits = { ...LIMITS, memoryBytes: 3 * MIB, diskBytes: 4 * MIB, inodes: 512, artifactBytes: 7 * MIB };
  strictEqual(taskMemory(limits, false), 8 * MIB + MAX_ENGINE_BYTES);
  strictEqual(taskMemory(limits, true), 22 * MIB + MAX_ENGINE_BYTES);
});

Deno.test("pythonMemory() has no place for files beside the memory", () => {
  const limits = { ...LIMITS, memoryBytes: 3 * MIB, artifactBytes: 7 * MIB };
  strictEqual(pythonMemory(limits, false), 3 * MIB + MAX_ENGINE_BYTES);
  strictEqual(pythonMemory(limits, true), 17 * MIB + MAX_ENGINE_BYTES);
});

Deno.test("files that are sent may grow as far as their own limits allow", () => {
  strictEqual(moduleMemory(MIB), 8 * MIB);
  strictEqual(zipMemory(100), MIB + 100);
  strictEqual(zipMemory(MIB), 201 * MIB);
  strictEqual(zipMemory(100 * MIB), ROOTFS_LIMITS.maxBytes + 100 * MIB);
});

Deno.test("the inodes of a full volume take no more than the engine's own", () => {
  ok(MAX_INODES * INODE_BYTES <= MAX_ENGINE_BYTES);
});
