import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { copyingSlot, MemoryCluster, task, TextSink } from "../../support/memory_cluster.ts";

const streams = () => ({ stdout: new TextSink(), stderr: new TextSink() });

Deno.test("a client gets the trace of its task when it asks for one, in the order of time", async () => {
  await using cluster = new MemoryCluster();
  await cluster.provider(copyingSlot);
  const { client } = await cluster.client();
  const { trace } = await client.run(task({ trace: true }), streams());
  ok(trace !== undefined);
  deepStrictEqual(
    trace.events.map(({ event }) => event),
    [11, 21, 22, 23, 24, 31, 32, 33, 34, 35, 36, 37, 25, 26, 12],
  );
  strictEqual(trace.events[0]!.unixNano, trace.created);
});

Deno.test("a client gets no trace when it asks for none", async () => {
  await using cluster = new MemoryCluster();
  await cluster.provider(copyingSlot);
  const { client } = await cluster.client();
  const result = await client.run(task(), streams());
  strictEqual(result.trace, undefined);
});
