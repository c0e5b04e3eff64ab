import { deepStrictEqual } from "node:assert/strict";
import { traceTable } from "../../commands/trace_table.ts";

const MS = 1_000_000n;

Deno.test("the trace is printed in one time: broker and provider within what their peers saw of them", () => {
  // The broker's clock is an hour early, the provider's a day late.
  const hour = 3_600_000n * MS;
  const events = [
    { event: 11, unixNano: 100n * MS },
    { event: 21, unixNano: 102n * MS - hour },
    { event: 24, unixNano: 103n * MS - hour },
    { event: 31, unixNano: 24n * hour },
    { event: 37, unixNano: 24n * hour + 2n * MS },
    { event: 25, unixNano: 109n * MS - hour },
    { event: 26, unixNano: 110n * MS - hour },
    { event: 12, unixNano: 112n * MS },
  ];
  deepStrictEqual(traceTable({ created: 100n * MS, events }), [
    "     0.000 ms      +0.000  client    ClientTransmitRequest",
    "     2.000 ms      +2.000  broker    BrokerReceivedClientRequest",
    "     3.000 ms      +1.000  broker    BrokerTransmitProviderTask",
    "     5.000 ms      +2.000  provider  ProviderTaskReceived",
    "     7.000 ms      +2.000  provider  ProviderTransmitResult",
    "     9.000 ms      +2.000  broker    BrokerReceivedProviderResult",
    "    10.000 ms      +1.000  broker    BrokerTransmitClientResponse",
    "    12.000 ms      +2.000  client    ClientReceivedResponse",
  ]);
});

Deno.test("the trace is printed as it came where events are missing or do not fit, and names what nobody knows", () => {
  const events = [
    { event: 11, unixNano: 0n },
    { event: 31, unixNano: 5n * MS },
    { event: 38, unixNano: 6n * MS },
    { event: 99, unixNano: 7n * MS },
    { event: 12, unixNano: 8n * MS },
  ];
  deepStrictEqual(traceTable({ created: 0n, events }).map((line) => line.slice(27)), [
    "client    ClientTransmitRequest",
    "provider  ProviderTaskReceived",
    "unknown   ArtDecoSchedulerEnter",
    "unknown   event 99",
    "client    ClientReceivedResponse",
  ]);
  deepStrictEqual(traceTable({ created: 0n, events: [] }), []);
});
