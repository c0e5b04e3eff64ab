/** Caps the tables of a module, all together, by rewriting the maxima in its table section. */

import { refused } from "./module_refusal.ts";
import { skipConstantExpression } from "./constant_expression.ts";
import { type Edit, encodeU32 } from "./module_edits.ts";
import type { ModuleReader } from "./module_reader.ts";

/** Compilers write one or two; those for garbage-collected languages a few more. */
export const MAX_TABLES = 100;

/**
 * Entries of all tables together. A Go program of 12 MB has 11,102, CPython 5,903; V8 would allow 10^7 in each. One
 * costs V8 24 bytes, 31 after growing and 69 while it is filled by an initial value: 70 MB at most.
 */
export const MAX_TABLE_ENTRIES = 1_000_000;

/** How a table with an initial value begins (core specification 3.0, 5.5.7); the second byte is reserved. */
const WITH_VALUE = 0x40;
const REF = 0x64;
const REF_NULL = 0x63;

/** Bits of the flags before a table's limits. */
const HAS_MAX = 1;
const IS_SHARED = 2;
const IS_64_BIT = 4;

/** Limits of a table in entries, and where its flags and limits are in the module. */
interface DeclaredTable {
  readonly min: number;
  readonly max: number;
  readonly hasMax: boolean;
  readonly start: number;
  readonly end: number;
}

/**
 * What gives every table of the table section a maximum, so that all together keep within `MAX_TABLE_ENTRIES`; what
 * they do not need from the start is shared equally. Throws `invalid_argument` when they need too much.
 */
export function capTables(reader: ModuleReader): readonly Edit[] {
  const count = reader.u32();
  if (count > MAX_TABLES) {
    throw refused(`it has ${count} tables, more than the ${MAX_TABLES} that are allowed`);
  }
  const tables: DeclaredTable[] = [];
  for (let left = count; left > 0; left--) tables.push(readTable(reader));

  const needed = sum(tables, ({ min }) => min);
  if (needed > MAX_TABLE_ENTRIES) {
    throw refused(
      `its tables have ${needed} entries, more than the ${MAX_TABLE_ENTRIES} that are allowed: ` +
        "build it with fewer functions whose address is taken",
    );
  }
  if (sum(tables, ({ max }) => max) <= MAX_TABLE_ENTRIES) return [];
  const share = Math.floor((MAX_TABLE_ENTRIES - needed) / count);
  return tables
    .filter(({ min, max, hasMax }) => !hasMax || max > min + share)
    .map(({ min, start, end }) => ({
      start,
      end,
      bytes: [HAS_MAX, ...encodeU32(min), ...encodeU32(min + share)],
    }));
}

function readTable(reader: ModuleReader): DeclaredTable {
  let type = reader.byte();
  const withValue = type === WITH_VALUE;
  if (withValue) {
    reader.byte();
    type = reader.byte();
  }
  if (type === REF || type === REF_NULL) reader.skipInteger();
  const start = reader.offset;
  const flags = reader.byte();
  if (flags & IS_SHARED) {
    throw refused("its table is shared: threads are not supported, build it without them");
  }
  if (flags & IS_64_BIT) throw refused("its table is 64-bit: build it for wasm32");
  if (flags & ~HAS_MAX) throw refused("its table has unknown flags: build it with standard features only");
  const hasMax = (flags & HAS_MAX) !== 0;
  const min = reader.u32();
  const max = hasMax ? reader.u32() : Infinity;
  const end = reader.offset;
  if (withValue) skipConstantExpression(reader);
  return { min, max, hasMax, start, end };
}

function sum(tables: readonly DeclaredTable[], part: (table: DeclaredTable) => number): number {
  return tables.reduce((total, table) => total + part(table), 0);
}
