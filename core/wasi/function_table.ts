/** The shape of the functions of the interface, before they are bound to a guest. */

import type { Guest } from "./guest.ts";

/** Arguments are i32 as signed numbers and i64 as signed bigints; each function names its own. */
export type WasiFunction = (guest: Guest, ...args: never[]) => number | Promise<number>;

/** Functions by name, returning an errno or throwing a `WasiFault`. */
export type FunctionTable = Readonly<Record<string, WasiFunction>>;
