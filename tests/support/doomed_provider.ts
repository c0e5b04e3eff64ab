/** A program that runs an endless guest and prints `[pid of the slot, pid of the guard]`; it waits to be killed. */

import { guardOf, openRealSlots } from "./real_slots.ts";
import { collectingIo, guestTask } from "./slot_tasks.ts";

const slots = openRealSlots();
const slot = await slots.start();
const io = collectingIo();
const run = slot.run(guestTask(["loop"]), io, new AbortController().signal);
await io.stdout.first.promise;
const line = JSON.stringify([slots.pids[0], await guardOf(Deno.pid)]);
Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
await run;
