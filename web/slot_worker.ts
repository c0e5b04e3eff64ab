/** The entry of a slot's Worker. */

import { SlotLoop } from "../core/provider/slot_loop.ts";
import { sealScope } from "../core/seal_scope.ts";
import { type MessageScope, workerHost } from "./worker_host.ts";

const report = reportError.bind(globalThis);
const host = workerHost(globalThis as unknown as MessageScope);
sealScope(globalThis);
// The page hears of it by the event `error`, and terminates this Worker.
new SlotLoop(host).serve().catch(report);
