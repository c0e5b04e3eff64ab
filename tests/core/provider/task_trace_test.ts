import { deepStrictEqual } from "node:assert/strict";
import { TaskTrace } from "../../../core/provider/task_trace.ts";

Deno.test("a trace never goes back in time, whatever a slot says of the time of its guest", () => {
  let now = 1_000n;
  const events: [number, bigint][] = [];
  const trace = new TaskTrace((event, at) => events.push([event, at]), () => now);
  trace.received();
  now = 2_000_000n;
  trace.taken();
  now = 5_000_000n;
  trace.ran(1);
  trace.answered(true);
  deepStrictEqual(events, [
    [31, 1_000n],
    ...[32, 33, 34].map((event) => [event, 2_000_000n]),
    [35, 4_000_000n],
    ...[36, 37].map((event) => [event, 5_000_000n]),
  ]);
  events.length = 0;
  trace.ran(1e9);
  now = 4_000_000n;
  trace.answered(false);
  deepStrictEqual(events, [[35, 5_000_000n], [36, 5_000_000n], [30, 5_000_000n]]);
});
