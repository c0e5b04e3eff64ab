/** Tasks that try to get out of the cage or to take more than they may, and how each has to end. */

import type { Reason } from "../../core/outcome.ts";
import type { SlotLimits } from "../../core/provider/slot.ts";
import { deflate, zipOf } from "../core/wasi/zip_bytes.ts";
import * as modules from "./hostile_modules.ts";

const MIB = 1024 * 1024;
const BOMBS = Deno.readFileSync(new URL("../testdata/hostile/bombs.wasm", import.meta.url));

export interface HostileTask {
  readonly name: string;
  readonly module: Uint8Array;
  /** After argv[0]. */
  readonly args: readonly string[];
  /** What `/` starts with; null for an empty directory. */
  readonly zip: Uint8Array | null;
  readonly limits: Partial<SlotLimits>;
  readonly reason: Reason;
  readonly status: number;
  readonly message: RegExp;
  /** How it ends in a browser, where nobody sees the memory of a Worker; null where it would take the page along. */
  readonly inBrowser?: Ending | null;
}

type Ending = Pick<HostileTask, "reason" | "status" | "message">;

const FINE: Ending = { reason: "exit", status: 0, message: /^$/ };
const TIMEOUT: Ending = { reason: "timeout", status: 124, message: /^guest ran longer than its limit/ };
const MEMORY: Ending = { reason: "memory", status: 137, message: /memory/ };

const PROCESS_MEMORY: Ending = { ...MEMORY, message: /made its process larger/ };

const trap = (message: RegExp): Ending => ({ reason: "trap", status: 134, message });
const unfit = (message: RegExp): Ending => ({ reason: "rejected", status: 126, message });
const refused = (message: RegExp): Ending => ({ reason: "rejected", status: 125, message });

function task(
  name: string,
  module: Uint8Array,
  ending: Ending,
  rest: Partial<HostileTask> = {},
): HostileTask {
  return { name, module, args: [], zip: null, limits: {}, ...ending, ...rest };
}

/** A mode of testdata/hostile/bombs.c. */
function bomb(mode: string, ending: Ending, limits: Partial<SlotLimits> = {}): HostileTask {
  return task(`bombs ${mode}`, BOMBS, ending, { args: [mode], limits });
}

function rootfs(name: string, zip: Uint8Array, ending: Ending): HostileTask {
  return task(`rootfs with ${name}`, BOMBS, ending, { zip, args: ["maze"] });
}

/** Deflated zeros, a thousandth of their size. */
async function zipBomb(): Promise<Uint8Array> {
  const contents = new Uint8Array(4 * MIB);
  return zipOf([{ name: "zeros", contents, packed: await deflate(contents) }]);
}

const LINK = 0o120777;
const text = (value: string) => new TextEncoder().encode(value);

/** Every one of them; made when they are needed, as some are large. */
export async function hostileTasks(): Promise<HostileTask[]> {
  return [
    task("an endless loop", modules.LOOP, TIMEOUT),
    task("an endless loop before _start", modules.LOOPING_START, TIMEOUT),
    task("a guest that catches its own end", modules.CATCHES_ITS_END, TIMEOUT),
    task("a trap before _start", modules.TRAPPING_START, trap(/unreachable/)),
    task("an end before _start", modules.EXIT_IN_START, { reason: "exit", status: 7, message: /^$/ }),
    task("deep recursion", modules.RECURSION, trap(/stack overflow/)),
    task("growth beyond the cap", modules.GROWTH, FINE),
    task("50,000 memories", modules.MANY_MEMORIES, unfit(/50000 memories/)),
    task("a memory of 4 GiB", modules.LARGE_MEMORY, unfit(/needs at least 4096 MiB/)),
    task("a shared memory", modules.SHARED_MEMORY, unfit(/shared/)),
    task("a 64-bit memory", modules.WIDE_MEMORY, unfit(/64-bit/)),
    task("a table of 10,000,000 entries", modules.LARGE_TABLE, unfit(/table/)),
    task("100,000 tables", modules.MANY_TABLES, unfit(/tables/)),
    task("growth of a table", modules.TABLE_GROWTH, FINE),
    task("1,000,001 functions", modules.MANY_FUNCTIONS, unfit(/cannot run module/)),
    task("1,000,001 globals", modules.MANY_GLOBALS, unfit(/cannot (run|compile) module/)),
    task("100,001 data segments", modules.MANY_DATA_SEGMENTS, unfit(/cannot (run|compile) module/)),
    task("a data segment beyond the memory", modules.DATA_BEYOND_MEMORY, trap(/out of bounds/)),
    task("a data segment of 4 GiB", modules.LYING_DATA, unfit(/cannot (run|compile) module/)),
    task("1,000 nested blocks", modules.NESTED_BLOCKS, FINE),
    task("an endless chain on the heap", modules.HEAP, PROCESS_MEMORY, {
      inBrowser: unfit(/garbage collection/),
    }),
    task("locals that cost the compiler gigabytes", modules.BRANCHING_LOCALS, PROCESS_MEMORY, {
      inBrowser: null,
    }),
    task("a global called _start", modules.START_IS_A_GLOBAL, unfit(/"_start" is a global/)),
    task("a function called memory", modules.MEMORY_IS_A_FUNCTION, unfit(/memory/)),
    task("an import called _start", modules.START_IS_AN_IMPORT, unfit(/"_start"/)),
    task("two exports called _start", modules.TWO_STARTS, unfit(/cannot (run|compile) module/)),
    bomb("grow", MEMORY),
    bomb("recurse", trap(/out of bounds|stack overflow/)),
    bomb("sleep", TIMEOUT),
    bomb("stdout", TIMEOUT),
    bomb("stderr", TIMEOUT),
    bomb("polls", TIMEOUT),
    bomb("listings", TIMEOUT),
    bomb("loop", { ...TIMEOUT, message: /CPU/ }, { timeoutMs: 20_000, cpuMs: 100 }),
    bomb("stdout", { reason: "limit", status: 125, message: /output/ }, { outputBytes: MIB }),
    bomb("sparse", FINE),
    bomb("file", FINE),
    bomb("files", FINE),
    bomb("small", FINE),
    bomb("unlinked", FINE),
    bomb("nest", FINE),
    bomb("links", FINE),
    bomb("maze", FINE),
    bomb("walks", TIMEOUT),
    bomb("escape", FINE),
    bomb("pointers", FINE),
    bomb("descriptors", FINE),
    rootfs("4 MiB of zeros", await zipBomb(), refused(/times the packed size/)),
    rootfs("a name that climbs", zipOf([{ name: "../x", contents: text("x") }]), refused(/leads out/)),
    rootfs("an absolute name", zipOf([{ name: "/x", contents: text("x") }]), refused(/absolute/)),
    rootfs("encryption", zipOf([{ name: "x", contents: text("x"), flags: 1 }]), refused(/encrypted/)),
    rootfs("links to themselves", zipOf([{ name: "m0", contents: text("m0"), mode: LINK }]), FINE),
    rootfs("no ZIP at all", text("PK\x03\x04 and nothing more"), refused(/unpack ZIP/)),
  ];
}
