/** What the metrics page says of a broker. */

import type { Broker } from "../broker/broker.ts";
import type { Throughput } from "../broker/throughput.ts";
import type { FileStore } from "../storage/file_store.ts";
import type { BrokerNumbers } from "./metrics.ts";

export async function brokerNumbers(
  broker: Broker,
  files: FileStore,
  throughput: Throughput,
): Promise<BrokerNumbers> {
  const { queued, running, providers, totals } = broker.stats;
  const stored = await files.list();
  return {
    providers,
    slots: broker.providers().reduce((sum, { slots }) => sum + slots, 0),
    tasksQueued: queued,
    tasksRunning: running,
    throughput: throughput.rate,
    tasksEnded: totals.finished,
    slotDeaths: totals.slotDeaths,
    modulesRejected: totals.modulesRejected,
    files: stored.length,
    fileBytes: stored.reduce((sum, { size }) => sum + size, 0),
  };
}
